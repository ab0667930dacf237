import { assertNever } from '@tachograph/wire';
import { EXPORT_LIMITS } from '../limits.ts';
import type { Clock, Logger } from '../runtime.ts';
import type { Delivery, OpenSink, Outcome } from '../sinks/sink.ts';
import { grantedDelayMs, retryDelayMs } from './backoff.ts';
import { batchesOf } from './batches.ts';

/** Why a route is not delivering at this moment. */
export type Trouble = { readonly kind: 'retrying' | 'halted'; readonly reason: string };

/** What waiting and trying again needs. */
export type TroubleContext = {
  readonly route: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Told at each failure, and `null` as soon as something got through. */
  readonly trouble: (trouble: Trouble | null) => void;
};

export type DeliveryContext = TroubleContext & {
  readonly sink: OpenSink;
  /**
   * Whether a failure before anything was settled is the caller's to wait out. A caller that can read the events
   * again then needs no memory for them, however long a destination is away.
   */
  readonly mayDefer: boolean;
};

/** Nothing was settled: to be tried again after `waitMs`, or where the destination did not say, after a backoff. */
export class Deferred extends Error {
  readonly trouble: Trouble;
  readonly waitMs: number | null;
  constructor(trouble: Trouble, waitMs: number | null) {
    super(trouble.reason);
    this.name = 'Deferred';
    this.trouble = trouble;
    this.waitMs = waitMs;
  }
}

/** The route was told to end while something was still to be delivered. Its position has not moved. */
export class RouteStopped extends Error {
  constructor() {
    super('the route was stopped');
    this.name = 'RouteStopped';
  }
}

export type Rejection = { readonly delivery: Delivery; readonly reason: string };

/**
 * Brings every delivery to its end, in order: delivered, or rejected for ever, which is what it answers. Only what
 * the destination did not settle is sent again, so that one bad event neither repeats nor stops its batch.
 *
 * @throws RouteStopped when the signal aborts first
 */
export async function deliverAll(
  deliveries: readonly Delivery[],
  context: DeliveryContext,
): Promise<Rejection[]> {
  const rejections: Rejection[] = [];
  for (const [i, batch] of batchesOf(deliveries, context.sink.limits).entries()) {
    rejections.push(...(await deliverBatch(batch, { ...context, mayDefer: context.mayDefer && i === 0 })));
  }
  return rejections;
}

async function deliverBatch(
  batch: readonly Delivery[],
  context: DeliveryContext,
): Promise<readonly Rejection[]> {
  const rejections: Rejection[] = [];
  let open = batch;
  for (let attempt = 1; open.length > 0; attempt++) {
    if (context.signal.aborted) throw new RouteStopped();
    const outcomes = await tryOnce(open, context);
    const settled = settle(open, outcomes);
    rejections.push(...settled.rejections);
    if (settled.open.length < open.length) attempt = 1;
    open = settled.open;
    if (open.length > 1 && outcomes.some(({ kind }) => kind === 'isolate')) {
      // Without a pause: the neighbours of one bad event must not wait for it.
      for (const half of halvesOf(open)) {
        rejections.push(...(await deliverBatch(half, { ...context, mayDefer: false })));
      }
      return rejections;
    }
    if (open.length === 0) context.trouble(null);
    else if (context.mayDefer && open.length === batch.length) throw deferredOf(outcomes);
    else await pause(outcomes, attempt, context);
  }
  return rejections;
}

function halvesOf(batch: readonly Delivery[]): readonly Delivery[][] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}

async function tryOnce(open: readonly Delivery[], context: DeliveryContext): Promise<readonly Outcome[]> {
  let outcomes: readonly Outcome[];
  try {
    outcomes = await context.sink.deliver(open, context.signal);
  } catch (error) {
    // A throw is I/O of which nothing is known: the same events are sent again, under the same ids.
    const reason = error instanceof Error ? error.message : String(error);
    return open.map(() => ({ kind: 'retry', reason }));
  }
  if (outcomes.length !== open.length) {
    throw new Error(`the sink answered ${outcomes.length} outcomes for ${open.length} events`);
  }
  return outcomes;
}

function settle(
  open: readonly Delivery[],
  outcomes: readonly Outcome[],
): { open: Delivery[]; rejections: Rejection[] } {
  const rest: Delivery[] = [];
  const rejections: Rejection[] = [];
  for (const [i, delivery] of open.entries()) {
    const outcome = outcomes[i]!;
    switch (outcome.kind) {
      case 'delivered':
        break;
      case 'reject':
        rejections.push({ delivery, reason: outcome.reason });
        break;
      case 'isolate':
        // Alone it is the one that the destination meant.
        if (open.length === 1) rejections.push({ delivery, reason: outcome.reason });
        else rest.push(delivery);
        break;
      case 'retry':
      case 'halt':
        rest.push(delivery);
        break;
      default:
        assertNever(outcome);
    }
  }
  return { open: rest, rejections };
}

async function pause(outcomes: readonly Outcome[], attempt: number, context: DeliveryContext): Promise<void> {
  const { trouble, waitMs } = deferredOf(outcomes);
  await waitOut(trouble, waitMs ?? retryDelayMs(attempt, context.random()), context);
}

/** What the outcomes that are not settled come to. */
function deferredOf(outcomes: readonly Outcome[]): Deferred {
  const halt = outcomes.find((outcome) => outcome.kind === 'halt');
  if (halt) return new Deferred({ kind: 'halted', reason: halt.reason }, EXPORT_LIMITS.retryDelayMsMax);
  const retries = outcomes.filter((outcome) => outcome.kind === 'retry');
  const asked = Math.max(-1, ...retries.map(({ afterMs }) => afterMs ?? -1));
  const reason = retries[0]?.reason ?? 'unknown';
  return new Deferred({ kind: 'retrying', reason }, asked >= 0 ? grantedDelayMs(asked) : null);
}

/** Says what is wrong, and waits. */
export async function waitOut(trouble: Trouble, waitMs: number, context: TroubleContext): Promise<void> {
  context.trouble(trouble);
  const fields = { route: context.route, reason: trouble.reason, waitMs };
  if (trouble.kind === 'halted') context.logger.error(fields, 'route.halted');
  else context.logger.warn(fields, 'delivery.failed');
  await context.clock.sleep(waitMs, context.signal);
}

/**
 * Repeats `work` until it succeeds: for what has no other destination to go to, such as the dead letters.
 *
 * @throws RouteStopped when the signal aborts first
 */
export async function untilDone(work: () => Promise<void>, context: TroubleContext): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (context.signal.aborted) throw new RouteStopped();
    try {
      await work();
      context.trouble(null);
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await waitOut({ kind: 'retrying', reason }, retryDelayMs(attempt, context.random()), context);
    }
  }
}
