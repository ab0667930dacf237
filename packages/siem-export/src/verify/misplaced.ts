/**
 * The members of `arrivals` that stand at another place than their own, as few as explain it: where two were swapped
 * these two, however far apart, and where one was moved this one. Pure; n log n.
 */
export function misplaced(arrivals: readonly number[]): number[] {
  const sorted = arrivals.toSorted((a, b) => a - b);
  const swapped = arrivals.filter((value, position) => value !== sorted[position]);
  const moved = outsideAscending(arrivals);
  // Two neighbours that were swapped are two, though moving one of them would explain it.
  return moved.length * 2 < swapped.length ? moved : swapped;
}

/** All but a longest ascending subsequence. */
function outsideAscending(arrivals: readonly number[]): number[] {
  /** By length: the position of the smallest last member of an ascending subsequence of that length. */
  const ends: number[] = [];
  const before = new Map<number, number>();
  for (const [position, value] of arrivals.entries()) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (arrivals[ends[middle]!]! < value) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before.set(position, ends[low - 1]!);
    ends[low] = position;
  }
  const kept = new Set<number>();
  for (let at = ends.at(-1); at !== undefined; at = before.get(at)) kept.add(at);
  return arrivals.filter((_, position) => !kept.has(position));
}
