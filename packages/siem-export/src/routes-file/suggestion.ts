const DISTANCE_MAX = 2;

/** Of `known`, the one that `written` was probably meant to be; `null` where none is near. */
export function suggestionFor(written: string, known: readonly string[]): string | null {
  let best: { readonly name: string; readonly distance: number } | null = null;
  for (const name of known) {
    const distance = distanceOf(plain(written), plain(name));
    const isNear = distance <= Math.min(DISTANCE_MAX, Math.floor(name.length / 3));
    if (isNear && (best === null || distance < best.distance)) best = { name, distance };
  }
  return best?.name ?? null;
}

/** `dead_letters`, `dead-letters` and `DeadLetters` are all `deadLetters`. */
function plain(name: string): string {
  return name.replaceAll(/[-_ ]/g, '').toLowerCase();
}

/** How many letters must be added, left out, changed, or exchanged with their neighbour. */
function distanceOf(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > DISTANCE_MAX) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const steps = [row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1)];
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) steps.push(before[j - 2]! + 1);
      next.push(Math.min(...steps));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
