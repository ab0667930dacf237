import {
  assertNever,
  bytesEqual,
  EMPTY_ROOT,
  LEASE_NOTE,
  openStatement,
  parseCheckpointNote,
  parseSignatureLines,
  rootOf,
  verifyCosignature,
  type Checkpoint,
  type Cosigned,
  type NoteSignature,
} from '@tachograph/wire';
import type { AppendRequest } from './append-request.ts';
import type { AppendAnswer, Extras } from './core/answers.ts';
import { resolveConflict } from './core/conflict.ts';
import { startLease } from './core/lease.ts';
import { planOwn } from './core/own-leaves.ts';
import { admitLease, withEnrolment } from './core/purge.ts';
import { planReceipt } from './core/receipt.ts';
import type { EnrolmentRow, LogRow, Position, Receipt } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';
import { takeDirectives } from './directives.ts';
import { fetchKeys, setbackOf, takeKeys } from './exchange.ts';
import type { Replay } from './replay.ts';
import { restoreIngest } from './restore.ts';
import { networkSetback, PROGRESS, setback, type Step } from './step.ts';
import { openSuccessor } from './succession.ts';

type Conflict = Extract<AppendAnswer, { kind: 'conflict' }>;

/** Judges answers to appends. Nothing is believed that does not verify, and nothing moves but forward. */
export class AppendAnswers {
  readonly #parts: CoreParts;
  readonly #replay: Replay;
  /** Ingest seemed to hold less than it gave receipts for: the next exchange is a check-in that confirms it. */
  #suspectsLoss = false;

  constructor(parts: CoreParts, replay: Replay) {
    this.#parts = parts;
    this.#replay = replay;
  }

  /** Whether the next request must be a check-in. */
  get wantsCheckIn(): boolean {
    return this.#suspectsLoss;
  }

  async take(request: AppendRequest, answer: AppendAnswer): Promise<Step> {
    switch (answer.kind) {
      case 'receipt':
        return this.#takeReceipt(request, answer.receipt, answer.extras);
      case 'conflict':
        return this.#takeConflict(request, answer);
      case 'too-large':
        return this.#replay.shrink() ? PROGRESS : setbackOf(answer);
      case 'refused':
        return this.#takeRefusal(request, answer);
      default:
        return setbackOf(answer);
    }
  }

  async #takeReceipt(request: AppendRequest, lines: string, extras: Extras): Promise<Step> {
    // Keys first: the receipt may be signed by one that this very answer brings.
    await this.#takeKeys(extras);
    await takeDirectives(this.#parts, extras.directives);
    const parsed = parseSignatureLines(lines);
    const cosigned = parsed.ok ? await this.#verify(request.checkpoint, parsed.value) : null;
    if (cosigned === null) return networkSetback('the receipt does not verify');
    this.#suspectsLoss = false;
    await this.#store(
      request,
      request.end,
      {
        size: request.end.range.size,
        time: cosigned.timestamp,
        source: request.checkpointSource + lines,
      },
      extras,
    );
    await this.#takeLease(request, extras);
    await this.#takeStatus(request, extras);
    return PROGRESS;
  }

  async #store({ log }: AppendRequest, position: Position, receipt: Receipt, extras: Extras): Promise<void> {
    const stored = await this.#parts.state.transact(({ rows }) => {
      const change = planReceipt(rows, {
        device: log.device,
        position,
        receipt,
        rejected: extras.rejected,
      });
      // Whoever gets receipts is enrolled, however long the approval took or whichever answer was lost.
      const known = enrolledBy(rows.enrolment);
      return known === null ? change : { ...change, rows: { ...change.rows, enrolment: known } };
    });
    if (stored) this.#parts.adapters.tabs.announce();
  }

  async #takeConflict(request: AppendRequest, conflict: Conflict): Promise<Step> {
    await this.#takeKeys(conflict.extras);
    await takeDirectives(this.#parts, conflict.extras.directives);
    const stated = await this.#statedBy(request, conflict);
    const { rows } = await this.#parts.state.read();
    const { log } = rows;
    if (log?.device !== request.log.device) return PROGRESS;
    if (stated === null) {
      // `null` against a receipt: ingest has lost this log, or is not ingest. Restoring harms in neither case.
      return conflict.checkpoint === null
        ? restoreIngest(this.#parts, log)
        : networkSetback('the checkpoint of the conflict does not verify');
    }
    const { size } = stated.checkpoint;
    const sentReceipt = request.log.receipt?.size ?? 0;
    const step = resolveConflict({
      size,
      sentReceipt,
      receipt: log.receipt?.size ?? 0,
      head: log.head.range.size,
    });
    switch (step) {
      case 'stale':
        return PROGRESS;
      case 'rolled-back':
        return this.#succeed(request, 'rollback');
      case 'lost-by-ingest':
        return this.#confirmLoss(request, log);
      case 'compare-roots':
        return this.#compareRoots(request, conflict, stated);
      default:
        return assertNever(step);
    }
  }

  /** What ingest says its state is, if its cosigner signed it; the empty log where it may be that. */
  async #statedBy(
    { log }: AppendRequest,
    { checkpoint }: Conflict,
  ): Promise<{ checkpoint: Checkpoint; receipt: Receipt | null } | null> {
    if (checkpoint === null) {
      if (holdsEntries(log)) return null;
      return { checkpoint: { origin: log.origin, size: 0, root: EMPTY_ROOT }, receipt: null };
    }
    const parsed = parseCheckpointNote(checkpoint);
    if (!parsed.ok || parsed.value.origin !== log.origin) return null;
    const cosigned = await this.#verify(parsed.value, parsed.value.note.signatures);
    if (cosigned === null) return null;
    const receipt = { size: parsed.value.size, time: cosigned.timestamp, source: checkpoint };
    return { checkpoint: parsed.value, receipt };
  }

  async #compareRoots(
    request: AppendRequest,
    { status, extras }: Conflict,
    stated: { checkpoint: Checkpoint; receipt: Receipt | null },
  ): Promise<Step> {
    const { size, root } = stated.checkpoint;
    const position = await this.#replay.positionAt(size);
    if (position === 'moved') return PROGRESS;
    if (position === 'damaged') {
      // The next pass reads everything anew, and says whether it is.
      this.#replay.restart();
      return PROGRESS;
    }
    if (!bytesEqual(rootOf(position.range), root)) return this.#succeed(request, 'fork');
    if (stated.receipt !== null) await this.#store(request, position, stated.receipt, extras);
    if (status === 422) return networkSetback('the body was damaged on its way');
    // A 409 that names the very size that was sent contradicts itself: no reason to run in circles.
    return size === request.log.base.range.size
      ? networkSetback('the conflict contradicts itself')
      : PROGRESS;
  }

  async #confirmLoss(request: AppendRequest, log: LogRow): Promise<Step> {
    const isCheckIn = request.end.range.size === request.log.base.range.size && request.note !== null;
    if (this.#suspectsLoss && isCheckIn) {
      this.#suspectsLoss = false;
      return restoreIngest(this.#parts, log);
    }
    this.#suspectsLoss = true;
    return PROGRESS;
  }

  async #succeed({ log }: AppendRequest, reason: 'fork' | 'rollback'): Promise<Step> {
    await openSuccessor(this.#parts, log.device, reason);
    return PROGRESS;
  }

  async #takeRefusal(
    { log }: AppendRequest,
    refusal: Extract<AppendAnswer, { kind: 'refused' }>,
  ): Promise<Step> {
    if (refusal.code === 'ERR_DEVICE_PENDING') await this.#mark(log.device, 'pending_approval');
    if (refusal.code === 'ERR_UNKNOWN_DEVICE') {
      if (holdsEntries(log)) return restoreIngest(this.#parts, log);
      await this.#mark(log.device, 'unknown');
    }
    return setbackOf(refusal);
  }

  async #mark(device: string, status: EnrolmentRow['status']): Promise<void> {
    await this.#parts.state.transact(({ rows: { enrolment } }) =>
      enrolment?.device === device && enrolment.status !== status
        ? { result: null, rows: { enrolment: { ...enrolment, status } } }
        : { result: null },
    );
  }

  async #takeKeys({ keys }: Extras): Promise<void> {
    if (keys === null) return;
    await takeKeys(this.#parts, keys, null);
  }

  async #takeLease({ note, log, epoch }: AppendRequest, { lease }: Extras): Promise<void> {
    if (lease === null || note === null) return;
    const opened = await openStatement(LEASE_NOTE, lease, await this.#parts.trust.lessors());
    // Only for the nonce that this request sent: leases can be neither hoarded nor borrowed.
    if (!opened.ok || opened.value.nonce !== note.nonce || opened.value.origin !== log.origin) {
      this.#parts.report(
        setback('server', { code: 'ERR_SIGNATURE', detail: 'a lease did not verify' }).problem,
      );
      return;
    }
    const row = startLease(opened.value, log.device, note.sent);
    await this.#parts.state.transact(({ rows }) => {
      // Of two tabs the slower one's lease is the older one, and one that was asked for before a gate lifts none.
      const cache =
        rows.log?.device === log.device && !rows.log.closed ? admitLease(rows.cache, epoch) : null;
      if (cache === null) return { result: null };
      const { enrolment } = rows;
      // Only enrolled devices get one: the approval that was waited for, or a revocation taken back.
      return {
        result: null,
        rows: {
          cache,
          lease: row,
          ...(enrolment?.device === log.device ? { enrolment: { ...enrolment, status: 'enrolled' } } : {}),
        },
      };
    });
  }

  /** A verified receipt came with it: a stranger cannot say so. What else it says of the device, a lease says better. */
  async #takeStatus({ log }: AppendRequest, { deviceStatus }: Extras): Promise<void> {
    const { state, libraryLeaf, committed } = this.#parts;
    const known = state.rows.enrolment;
    if (deviceStatus !== 'revoked' || known?.device !== log.device || known.status === 'revoked') return;
    await state.transact(({ rows }) => {
      const { enrolment } = rows;
      if (enrolment?.device !== log.device) return { result: null };
      const revoked = withEnrolment(rows, { ...enrolment, status: 'revoked' });
      return { result: null, ...planOwn(rows, revoked, [], libraryLeaf) };
    });
    committed();
  }

  /** A good cosignature by a trusted key; where one is by a key not seen before, the keys are asked for once. */
  async #verify(checkpoint: Checkpoint, signatures: readonly NoteSignature[]): Promise<Cosigned | null> {
    const { trust } = this.#parts;
    const cosigned = await verifyCosignature(checkpoint, signatures, await trust.cosigners());
    if (cosigned !== null || !(await trust.hasUnknownCosigner(signatures))) return cosigned;
    await fetchKeys(this.#parts);
    return verifyCosignature(checkpoint, signatures, await trust.cosigners());
  }
}

/** Whether ingest has ever given a receipt for an entry; one for the empty log vouches for nothing. */
function holdsEntries({ receipt }: LogRow): boolean {
  return receipt !== null && receipt.size > 0;
}

function enrolledBy(enrolment: EnrolmentRow | null): EnrolmentRow | null {
  if (enrolment === null || !['pending_approval', 'uncertain', 'unknown'].includes(enrolment.status))
    return null;
  return { ...enrolment, status: 'enrolled' };
}
