import { InvalidArgumentError } from 'commander';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const DURATION = /^(?<count>[1-9]\d{0,6})(?<unit>[smhd])$/;

/** Seconds in a duration such as `15m`, `24h` or `7d`; anything else is an invalid argument. */
export function parseDuration(text: string): number {
  const { count, unit } = DURATION.exec(text)?.groups ?? {};
  if (count === undefined || !isUnit(unit)) {
    throw new InvalidArgumentError('A duration is a number and a unit: 30s, 15m, 24h, 7d.');
  }
  return Number(count) * SECONDS[unit];
}

function isUnit(unit: string | undefined): unit is keyof typeof SECONDS {
  return unit !== undefined && Object.hasOwn(SECONDS, unit);
}

/** A whole number from 1 on; anything else is an invalid argument. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('A whole number from 1 on.');
  return Number(text);
}
