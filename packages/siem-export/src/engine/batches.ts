import type { Delivery, SinkLimits } from '../sinks/sink.ts';

/** Cuts `deliveries` into batches within `limits`, in order. One that is too large by itself is sent alone. */
export function batchesOf(deliveries: readonly Delivery[], limits: SinkLimits): Delivery[][] {
  const batches: Delivery[][] = [];
  let batch: Delivery[] = [];
  let bytes = 0;
  for (const delivery of deliveries) {
    const more = Buffer.byteLength(delivery.line) + 1;
    const full = batch.length >= limits.batchEventsMax || bytes + more > limits.batchBytesMax;
    if (full && batch.length > 0) {
      batches.push(batch);
      [batch, bytes] = [[], 0];
    }
    batch.push(delivery);
    bytes += more;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
