/** A set of indices, kept as ascending ranges: a million that follow each other cost as much as one. */
export class IndexRanges {
  readonly #ranges: { from: number; to: number }[] = [];

  /** Adds `from` to before `to`, which lie behind everything that was added. */
  add(from: number, to: number): void {
    if (from >= to) return;
    const last = this.#ranges.at(-1);
    if (last?.to === from) last.to = to;
    else this.#ranges.push({ from, to });
  }

  /** Takes `index` out, and says whether it was in. */
  delete(index: number): boolean {
    const at = this.#ranges.findIndex(({ from, to }) => from <= index && index < to);
    if (at < 0) return false;
    const { from, to } = this.#ranges[at]!;
    const rest = [
      { from, to: index },
      { from: index + 1, to },
    ].filter((range) => range.from < range.to);
    this.#ranges.splice(at, 1, ...rest);
    return true;
  }

  [Symbol.iterator](): Iterator<{ readonly from: number; readonly to: number }> {
    return this.#ranges.values();
  }
}
