import { Deferred, deliverAll, type DeliveryContext, type Rejection } from '../engine/delivery.ts';
import { planOf } from '../engine/plan.ts';
import type { ExportEvent } from '../export-event.ts';
import { FORMATS } from '../formats/registry.ts';
import type { Route } from '../route.ts';
import type { Clock, Logger } from '../runtime.ts';
import type { OpenSink } from '../sinks/sink.ts';

/** What became of events that were sent along a route beside its own reading. */
export type Sent =
  /** Settled: what was refused is named, the rest is delivered. */
  | { readonly kind: 'settled'; readonly delivered: number; readonly refused: readonly Refused[] }
  /** The destination took nothing: what it said, and how long it asked to wait. */
  | {
      readonly kind: 'not-taken';
      readonly reason: string;
      /** `halted`: somebody has to change something first. */
      readonly trouble: 'retrying' | 'halted';
      readonly waitMs: number | null;
    };

type Refused = { readonly event: ExportEvent; readonly reason: string };

export type SendContext = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/**
 * Sends `events` to an open destination in the route's format, once. A destination that takes a part of a batch is
 * waited for; one that takes nothing is told of. Positions and dead letters are not touched.
 *
 * @throws RouteStopped where the signal aborts first
 */
export async function sendAlong(
  route: Route,
  sink: OpenSink,
  events: readonly ExportEvent[],
  context: SendContext,
): Promise<Sent> {
  const exportedTime = new Date(context.clock.now()).toISOString();
  const { deliveries, letters } = planOf(events, FORMATS[route.format], {
    exportedTime,
    timePolicy: route.time,
  });
  const delivering: DeliveryContext = {
    ...context,
    route: route.name,
    sink,
    mayDefer: true,
    trouble: () => undefined,
  };
  let rejections: Rejection[];
  try {
    rejections = await deliverAll(deliveries, delivering);
  } catch (error) {
    if (!(error instanceof Deferred)) throw error;
    const { trouble, waitMs } = error;
    return { kind: 'not-taken', reason: trouble.reason, trouble: trouble.kind, waitMs };
  }
  // What ingest rejected is delivered where the format has a place for it: only the others are not.
  const unwritten = letters.filter(({ event }) => !deliveries.some((delivery) => delivery.event === event));
  const refused = [
    ...unwritten.map(({ event, reason }) => ({ event, reason })),
    ...rejections.map(({ delivery, reason }) => ({ event: delivery.event, reason })),
  ];
  return { kind: 'settled', delivered: deliveries.length - rejections.length, refused };
}
