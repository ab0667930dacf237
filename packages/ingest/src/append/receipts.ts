import {
  cosign,
  formatCheckpoint,
  rootOf,
  toBase64,
  type Bytes,
  type CompactRange,
  type NoteSigner,
  type Origin,
} from '@tachograph/wire';

const REMEMBERED_MAX = 10_000;

/**
 * Cosigns checkpoints. Ed25519 is deterministic, so a receipt is never stored: size, root and time give it again.
 * The newest ones are remembered, since a log's next append carries the receipt of the one before.
 */
export class Receipts {
  readonly #cosigners: readonly NoteSigner[];
  readonly #made = new Map<string, Promise<string>>();

  constructor(cosigners: readonly NoteSigner[]) {
    this.#cosigners = cosigners;
  }

  /**
   * The signature lines of a receipt, one for each cosigner key. The caller has seen to it that all leaves below
   * `size` were durable before `timeSeconds`.
   */
  lines(origin: Origin, size: number, root: Bytes, timeSeconds: number): Promise<string> {
    const id = `${origin} ${size} ${timeSeconds} ${toBase64(root)}`;
    const known = this.#made.get(id);
    if (known !== undefined) return known;
    const checkpoint = { origin, size, root };
    const made = Promise.all(this.#cosigners.map((signer) => cosign(checkpoint, timeSeconds, signer))).then(
      (lines) => lines.join(''),
    );
    this.#made.set(id, made);
    made.catch(() => this.#made.delete(id));
    if (this.#made.size > REMEMBERED_MAX) this.#forgetOldest();
    return made;
  }

  /** The checkpoint of `range`, cosigned, as a note. */
  async note(origin: Origin, range: CompactRange, timeSeconds: number): Promise<string> {
    const root = rootOf(range);
    const lines = await this.lines(origin, range.size, root, timeSeconds);
    return `${formatCheckpoint({ origin, size: range.size, root })}\n${lines}`;
  }

  #forgetOldest(): void {
    for (const id of this.#made.keys()) {
      this.#made.delete(id);
      return;
    }
  }
}
