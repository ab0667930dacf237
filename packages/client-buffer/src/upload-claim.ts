import type { CoreParts } from './core-parts.ts';
import { AuditBufferError } from './errors.ts';
import type { Step } from './step.ts';

/** How long a tab that died while sending keeps the others from it. A tab that is done gives its claim back at once. */
const CLAIM_MS = 4_000;
/** A tab that lives renews it while it waits for an answer: for 30 seconds, which no request lasts longer than. */
const RENEWALS_MAX = 15;

/** Keeps tabs from doing the same work. It only saves work: two tabs that both send do no harm. */
export class UploadClaim {
  readonly #parts: CoreParts;

  constructor(parts: CoreParts) {
    this.#parts = parts;
  }

  /** Takes or keeps the claim, and answers `null`; or says until when another tab has it. With `force` it is taken in any case. */
  async take(force: boolean): Promise<Step | null> {
    const { state, boot, adapters } = this.#parts;
    const now = adapters.clock.wallMs();
    const held = state.rows.claim;
    if (held?.tab === boot && held.until - now > CLAIM_MS / 2 && held.until - now <= CLAIM_MS) {
      // Not worth a write; the rows are still read anew, because other tabs record, too.
      await state.read();
      return null;
    }
    return state.transact<Step | null>(({ rows: { claim } }) => {
      const left = claim === null || claim.tab === boot ? 0 : claim.until - now;
      // A claim further ahead than claims are made is of a clock that was set back since.
      if (!force && left > 0 && left <= CLAIM_MS) return { result: { kind: 'claimed', retryMs: left } };
      return { result: null, rows: { claim: { tab: boot, until: now + CLAIM_MS } } };
    });
  }

  /** Renews the claim while an answer is waited for, until the answer of this is called. */
  keep(): () => void {
    const { adapters, quietly } = this.#parts;
    let left = RENEWALS_MAX;
    const renew = (): void => {
      if (left-- <= 0) return;
      cancel = adapters.timers.setTimeout(renew, CLAIM_MS / 2);
      quietly(this.#renew());
    };
    let cancel = adapters.timers.setTimeout(renew, CLAIM_MS / 2);
    return () => cancel();
  }

  async #renew(): Promise<void> {
    const { state, boot, adapters } = this.#parts;
    const until = adapters.clock.wallMs() + CLAIM_MS;
    await state.transact(({ rows: { claim } }) =>
      claim?.tab === boot ? { result: null, rows: { claim: { tab: boot, until } } } : { result: null },
    );
  }

  /** Lets another tab have it at once. Where the store fails it expires by itself. */
  async release(): Promise<void> {
    const { state, boot } = this.#parts;
    if (state.rows.claim?.tab !== boot) return;
    try {
      await state.transact(({ rows: { claim } }) =>
        claim?.tab === boot ? { result: null, rows: { claim: null } } : { result: null },
      );
    } catch (error) {
      if (!(error instanceof AuditBufferError)) throw error;
    }
  }
}
