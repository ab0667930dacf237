import {
  bytesEqual,
  formatVkey,
  keyNames,
  parseVkey,
  type Authority,
  type NoteKey,
  type NoteSignature,
} from '@tachograph/wire';
import type { Problem, TrustRow } from './core/rows.ts';
import { AuditBufferError } from './errors.ts';
import { followNote, followNotes, standingAt, type Standing } from './keys-chain.ts';
import type { SharedState } from './shared-state.ts';

/** Handovers of one answer that are looked at: each is a rotation. */
const HANDOVERS_MAX = 64;

/** A keys note as an answer brings it. */
export type KeysOffer = {
  readonly note: string;
  /** The directive key that came beside it over TLS; pinned when none is. */
  readonly served: string | null;
  /** Older notes, by which one directive key handed over to the next. */
  readonly handovers?: readonly string[];
};

/** What became of an offer: whether a trusted directive key has signed the note, and what is to be reported. */
export type Adoption = { readonly verified: boolean; readonly problem: Problem | null };

/**
 * Whose receipts, leases and orders count: the keys that a pinned directive key has named, or one that it handed over
 * to.
 */
export class Trust {
  readonly #state: SharedState;
  readonly #authority: Authority;
  readonly #configured: readonly string[];
  /** The row that was read last, and what it comes to. */
  #read: { row: TrustRow | null; standing: Standing } | null = null;

  /** @throws AuditBufferError ERR_VKEY for a configured key that is none */
  constructor(state: SharedState, authority: Authority, configured: readonly string[]) {
    for (const vkey of configured) {
      const parsed = parseVkey(vkey);
      if (!parsed.ok) throw new AuditBufferError('ERR_VKEY', `directiveKey: ${parsed.fault.detail}`);
    }
    this.#state = state;
    this.#authority = authority;
    this.#configured = configured;
  }

  /** Takes a keys note, if a trusted directive key signed it and its counter is higher than what is held. */
  async adopt(offer: KeysOffer): Promise<Adoption> {
    const { note, served, handovers = [] } = offer;
    const row = this.#state.rows.trust;
    const pins = this.#pins(row) ?? (served === null ? [] : [served]);
    const held = row === null ? standingAt(this.#authority, pins) : await this.#standing(row);
    const before = await followNotes(this.#authority, held, handovers.slice(0, HANDOVERS_MAX));
    const after = await followNote(this.#authority, before, note);
    const reached = after ?? before;
    if (reached !== held && !(await this.#store(row, pins, reached))) return this.adopt(offer);
    const foreign =
      served !== null && !reached.directors.some((key) => formatVkey(key) === served)
        ? 'another directive key is served than the pinned one; ignored'
        : null;
    const detail = foreign ?? (after === null ? 'a keys note did not verify; ignored' : null);
    return { verified: after !== null, problem: detail === null ? null : { code: 'ERR_VKEY', detail } };
  }

  /** Keys whose cosignatures are receipts. */
  cosigners(): Promise<readonly NoteKey[]> {
    return this.#keysNamed(keyNames(this.#authority).cosigner);
  }

  /** Keys that sign leases. */
  lessors(): Promise<readonly NoteKey[]> {
    return this.#keysNamed(keyNames(this.#authority).lease);
  }

  /** Keys that sign directives and keys notes. */
  async directors(): Promise<readonly NoteKey[]> {
    return (await this.#standing(this.#state.rows.trust)).directors;
  }

  /** Whether one of `signatures` is by a cosigner of this authority that is not known here yet. */
  async hasUnknownCosigner(signatures: readonly NoteSignature[]): Promise<boolean> {
    const known = await this.cosigners();
    const { cosigner } = keyNames(this.#authority);
    return signatures.some(
      ({ name, keyId }) => name === cosigner && !known.some((key) => bytesEqual(key.keyId, keyId)),
    );
  }

  #pins(row: TrustRow | null): readonly string[] | null {
    return this.#configured.length > 0 ? this.#configured : (row?.directive ?? null);
  }

  async #keysNamed(name: string): Promise<readonly NoteKey[]> {
    const { keys } = await this.#standing(this.#state.rows.trust);
    return keys.filter((key) => key.name === name);
  }

  /** `false` where another tab has stored other keys meanwhile: what was found goes on from those then. */
  #store(row: TrustRow | null, pins: readonly string[], { note, counter, handovers }: Standing) {
    return this.#state.transact(({ rows: { trust } }) => {
      if (trust?.note !== row?.note) return { result: false };
      // Some note has led here, or there would be nothing to store.
      const next: TrustRow = { directive: pins, counter, note: note ?? '', handovers };
      return { result: true, rows: { trust: next } };
    });
  }

  /**
   * What a row comes to. It is followed anew from the pins, once a page: it may have been edited in the store. Where the
   * pins do not lead to its note (the app was given others), it counts for nothing, and neither does its counter.
   */
  async #standing(row: TrustRow | null): Promise<Standing> {
    const known = this.#read;
    if (known !== null && known.row?.note === row?.note) return known.standing;
    const pinned = standingAt(this.#authority, this.#pins(row) ?? []);
    const passed = await followNotes(this.#authority, pinned, row?.handovers ?? []);
    const standing =
      row === null ? pinned : ((await followNote(this.#authority, passed, row.note)) ?? pinned);
    this.#read = { row, standing };
    return standing;
  }
}
