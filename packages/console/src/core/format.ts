const COUNT = new Intl.NumberFormat('en');

/** 12345 → `12,345`. */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** Bytes with a binary unit and at most one decimal: `0 B`, `820 B`, `1.5 KiB`, `12 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KiB'] : [bytes / (1024 * 1024), 'MiB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

const STEPS = [
  [1_000, 60_000, 's'],
  [60_000, 3_600_000, 'min'],
  [3_600_000, 86_400_000, 'h'],
] as const;

/** A length of time in its largest whole unit: `0 s`, `42 s`, `3 min`, `5 h`, `2 d`. A negative one is `0 s`. */
export function formatAge(ms: number): string {
  const length = Math.max(0, ms);
  for (const [unit, next, name] of STEPS) if (length < next) return `${Math.floor(length / unit)} ${name}`;
  return `${Math.floor(length / 86_400_000)} d`;
}

/** Lateness as an analyst reads it: milliseconds below a second, one decimal below a minute, then whole units. */
export function formatLateness(ms: number): string {
  if (ms < 0) return `−${formatLateness(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return formatAge(ms);
}

/** `14:03:22` on the reader's clock, or `—` where `time` is no time. */
export function formatClock(time: string | number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '—';
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** The first characters of a long identifier, enough to tell devices apart on a screen. */
export function shortId(id: string, length = 8): string {
  return id.length <= length ? id : `${id.slice(0, length)}…`;
}

/** A countdown: `2:00`, `0:07`; from an hour on in its largest whole unit. Each second is shown until it is over. */
export function formatCountdown(ms: number): string {
  if (ms >= 3_600_000) return formatAge(ms);
  const seconds = Math.ceil(Math.max(0, ms) / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
