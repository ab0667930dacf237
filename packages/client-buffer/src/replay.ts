import { bytesEqual, parseCheckpointNote, rootOf, verifyNote } from '@tachograph/wire';
import { advance } from './core/blocks.ts';
import { BATCH_LIMITS, ReplaySession, type BatchLimits } from './core/replay-session.ts';
import type { LogRow, Position } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';
import { walkLeaves } from './log-walk.ts';

/** Keeps the pass over the waiting entries, and starts it anew where the store has gone another way. */
export class Replay {
  readonly #parts: CoreParts;
  #session: ReplaySession | null = null;
  #limits: BatchLimits = BATCH_LIMITS;

  constructor(parts: CoreParts) {
    this.#parts = parts;
  }

  /** After a 413: halves the batches, and says whether that was still possible. */
  shrink(): boolean {
    if (this.#limits.leavesMax <= 1) return false;
    this.#limits = {
      leavesMax: Math.floor(this.#limits.leavesMax / 2),
      bytesMax: Math.max(1024, Math.floor(this.#limits.bytesMax / 2)),
    };
    this.#session = null;
    return true;
  }

  /** The next pass begins at the receipt and takes nothing from this one. */
  restart(): void {
    this.#session = null;
  }

  /**
   * A pass that is verified up to the stored checkpoint and knows the receipt's position, or why there is none:
   * `damaged` means that the entries are not those which were signed.
   */
  async session(limits = this.#limits): Promise<ReplaySession | 'moved' | 'damaged'> {
    await this.#parts.sealer.seal();
    const { log } = this.#parts.state.rows;
    if (log === null) return 'moved';
    const session = this.#sessionFor(log, limits);
    const { checkpoint } = log;
    if (checkpoint === null || session.position.range.size >= checkpoint.size) return session;
    const end = await walkLeaves(
      this.#parts.state,
      log.device,
      { from: session.position.range.size, to: checkpoint.size },
      (leaves) => session.take(leaves),
    );
    if (end !== 'reached' || !(await this.#isSealed(log, session.position))) {
      this.#session = null;
      return end === 'moved' ? 'moved' : 'damaged';
    }
    session.verified();
    return session;
  }

  /** The position at `size`, which lies between the receipt and the stored checkpoint. */
  async positionAt(size: number): Promise<Position | 'moved' | 'damaged'> {
    const session = await this.session();
    if (typeof session === 'string') return session;
    let position = session.floor(size);
    if (position === null) return 'moved';
    const end = await walkLeaves(
      this.#parts.state,
      session.device,
      { from: position.range.size, to: size },
      (leaves) => {
        position = advance(position!, leaves);
      },
    );
    return end === 'reached' ? position : end;
  }

  #sessionFor(log: LogRow, limits: BatchLimits): ReplaySession {
    const held = this.#session;
    const known = held?.device === log.device ? held.at(log.base.range.size) : null;
    if (held?.limits === limits && known !== null && sameRoot(known, log.base)) {
      held.forget(log.base.range.size);
      return held;
    }
    const fresh = new ReplaySession(log.device, log.base, limits);
    // A pass with other limits is for one occasion.
    if (limits === this.#limits) this.#session = fresh;
    return fresh;
  }

  /** Whether our own key has signed exactly this position as the stored checkpoint. */
  async #isSealed(log: LogRow, position: Position): Promise<boolean> {
    const parsed = parseCheckpointNote(log.checkpoint?.source ?? '');
    if (!parsed.ok) return false;
    const { origin, size, root, note } = parsed.value;
    const { key } = await this.#parts.keyring.signer(log.device);
    return (
      origin === log.origin &&
      size === position.range.size &&
      bytesEqual(root, rootOf(position.range)) &&
      (await verifyNote(note, [key]))
    );
  }
}

function sameRoot(a: Position, b: Position): boolean {
  return a.range.size === b.range.size && bytesEqual(rootOf(a.range), rootOf(b.range));
}
