import type { CheckpointNote, CompactRange } from '@tachograph/wire';
import type { LoggedAppend } from './append.ts';
import { decide, type Decision, type Evidence, type LeafWindow } from './decide.ts';

/** What a reader knows of a device's log. */
export type KnownLog = {
  readonly range: CompactRange;
  /** The time of the receipt at which it was last adopted, POSIX seconds: older receipts vouch no more. */
  readonly adoptedSeconds: number | null;
};

/** Where evidence comes from, asked only where a decision needs it. */
export type EvidenceSource = {
  readonly window: () => Promise<LeafWindow>;
  /** When a known key of ingest cosigned `receipt`, POSIX seconds, or `null` where no cosignature verifies. */
  readonly receiptSeconds: (receipt: CheckpointNote) => Promise<number | null>;
};

export type Decided = {
  readonly decision: Exclude<Decision, { kind: 'needs' }>;
  /** The time of the receipt on which the decision rests, if it rests on one. */
  readonly vouchedSeconds: number | null;
};

/**
 * The log-order filter with all the evidence that it asks for. Every reader decides by this, and so does ingest, which
 * may cosign only what readers deliver.
 */
export async function decideWithEvidence(
  known: KnownLog | null,
  append: LoggedAppend,
  source: EvidenceSource,
): Promise<Decided> {
  let vouchedSeconds: number | null = null;
  const evidence: { -readonly [Name in keyof Evidence]: Evidence[Name] } = {};
  for (;;) {
    const decision = decide(known?.range ?? null, append, evidence);
    if (decision.kind !== 'needs') return { decision, vouchedSeconds };
    if (decision.what === 'window') {
      evidence.window = await source.window();
    } else {
      const { receipt } = append;
      vouchedSeconds = receipt === null ? null : await source.receiptSeconds(receipt);
      // A zombie may bring a history that ingest once vouched for and has since gone on without.
      const outdated = vouchedSeconds !== null && vouchedSeconds < (known?.adoptedSeconds ?? 0);
      evidence.receiptVerifies = vouchedSeconds !== null && !outdated;
    }
  }
}
