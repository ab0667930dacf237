import {
  bytesEqual,
  keyNames,
  KEYS_NOTE,
  openStatement,
  parseVkey,
  type Authority,
  type NoteKey,
  type NoteSignature,
} from '@tachograph/wire';
import type { Problem, TrustRow } from './core/rows.ts';
import { AuditBufferError } from './errors.ts';
import type { SharedState } from './shared-state.ts';

/** Whose receipts and leases count: the keys that a pinned directive key has named. */
export class Trust {
  readonly #state: SharedState;
  readonly #authority: Authority;
  readonly #configured: readonly string[];
  /** The note that was opened last, and what it says. */
  #opened: { note: string; keys: readonly NoteKey[] } | null = null;

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

  /**
   * Takes a keys note, if a pinned directive key signed it and its counter is higher than what is held.
   *
   * @param served the directive key that came beside it over TLS; pinned when none is
   * @returns what is to be reported, or `null`
   */
  async adopt(note: string, served: string | null): Promise<Problem | null> {
    const held = this.#state.rows.trust;
    const pins = this.#pins(held) ?? (served === null ? [] : [served]);
    const foreign =
      served !== null && !pins.includes(served)
        ? {
            code: 'ERR_VKEY' as const,
            detail: 'another directive key is served than the pinned one; ignored',
          }
        : null;
    const opened = await this.#open(note, pins);
    if (opened === null)
      return foreign ?? { code: 'ERR_VKEY', detail: 'a keys note did not verify; ignored' };
    await this.#state.transact(({ rows: { trust } }) => {
      if (trust !== null && trust.counter >= opened.counter) return { result: null };
      const row: TrustRow = { directive: pins, counter: opened.counter, note };
      return { result: null, rows: { trust: row } };
    });
    return foreign;
  }

  /** Keys whose cosignatures are receipts. */
  cosigners(): Promise<readonly NoteKey[]> {
    return this.#keysNamed(keyNames(this.#authority).cosigner);
  }

  /** Keys that sign leases. */
  lessors(): Promise<readonly NoteKey[]> {
    return this.#keysNamed(keyNames(this.#authority).lease);
  }

  /** Keys that sign directives: those that are pinned. No keys note names them, so that whoever signs one cannot add to them. */
  directors(): readonly NoteKey[] {
    return this.#directorsOf(this.#pins(this.#state.rows.trust) ?? []);
  }

  /** Whether one of `signatures` is by a cosigner of this authority that is not known here yet. */
  async hasUnknownCosigner(signatures: readonly NoteSignature[]): Promise<boolean> {
    const known = await this.cosigners();
    const { cosigner } = keyNames(this.#authority);
    return signatures.some(
      ({ name, keyId }) => name === cosigner && !known.some((key) => bytesEqual(key.keyId, keyId)),
    );
  }

  #pins(held: TrustRow | null): readonly string[] | null {
    return this.#configured.length > 0 ? this.#configured : (held?.directive ?? null);
  }

  async #keysNamed(name: string): Promise<readonly NoteKey[]> {
    const { trust } = this.#state.rows;
    if (trust === null) return [];
    // What the store holds is verified again once a page: it may have been edited there.
    if (this.#opened?.note !== trust.note) {
      const opened = await this.#open(trust.note, this.#pins(trust) ?? []);
      this.#opened = { note: trust.note, keys: opened?.keys ?? [] };
    }
    return this.#opened.keys.filter((key) => key.name === name);
  }

  async #open(note: string, pins: readonly string[]) {
    const opened = await openStatement(KEYS_NOTE, note, this.#directorsOf(pins));
    return opened.ok && opened.value.authority === this.#authority ? opened.value : null;
  }

  #directorsOf(pins: readonly string[]): readonly NoteKey[] {
    const { directive } = keyNames(this.#authority);
    return pins.flatMap((vkey) => {
      const parsed = parseVkey(vkey);
      return parsed.ok && parsed.value.name === directive ? [parsed.value] : [];
    });
  }
}
