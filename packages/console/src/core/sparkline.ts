/** The queue's length at one moment. */
export type Sample = { readonly at: number; readonly pending: number };

/** Keeps the samples of the last `windowMs`, and the one before them, from which the line enters the picture. */
export function addSample(samples: readonly Sample[], sample: Sample, windowMs: number): readonly Sample[] {
  const from = sample.at - windowMs;
  const firstInside = samples.findIndex((one) => one.at >= from);
  const kept = firstInside < 0 ? samples.slice(-1) : samples.slice(Math.max(0, firstInside - 1));
  return [...kept, sample];
}

export type Picture = { readonly line: string; readonly area: string; readonly max: number };

/** The samples as SVG paths of `width` × `height`, newest at the right edge, zero at the bottom. */
export function drawSamples(
  samples: readonly Sample[],
  now: number,
  windowMs: number,
  width: number,
  height: number,
): Picture {
  const max = Math.max(1, ...samples.map((sample) => sample.pending));
  const x = (at: number): number => clamp(width - ((now - at) / windowMs) * width, 0, width);
  const y = (pending: number): number => 1 + (height - 2) * (1 - pending / max);
  // A queue keeps its length until the next sample says otherwise: steps, and no slopes between them.
  const points = samples.flatMap(({ at, pending }, i) => [
    `${round(x(at))} ${round(y(samples[i - 1]?.pending ?? pending))}`,
    `${round(x(at))} ${round(y(pending))}`,
  ]);
  const last = samples.at(-1);
  if (last === undefined) return { line: '', area: '', max };
  const line = `M${points.join('L')}L${width} ${round(y(last.pending))}`;
  const left = round(x(samples[0]?.at ?? now));
  return { line, area: `${line}L${width} ${height}L${left} ${height}Z`, max };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
