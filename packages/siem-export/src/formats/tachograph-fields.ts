import { HEADER } from '@tachograph/event-log';
import { indexOf, type Reading } from './reading.ts';
import { integerIn, timeIn } from './times.ts';

/**
 * What no common schema has a place for: the same members under the same names in every format that has a place for
 * an object. All three times stand here, whatever the route made of the destination's own time field.
 */
export function tachographFields(reading: Reading) {
  const { event, headers, times, log, leafHash } = reading;
  return {
    occurred: times.occurred,
    received: times.received,
    exported: times.exported,
    lateness_ms: times.latenessMs,
    earliest: times.earliest,
    latest: times.latest,
    estimate: times.estimate,
    device_time: event.time,
    event_id: event.id,
    log,
    sequence: indexOf(reading),
    leaf_hash: leafHash,
    online: event.online,
    session: event.session,
    device_status: headers[HEADER.deviceStatus],
    revocation: headers[HEADER.revocation],
    pending: integerIn(headers, HEADER.pending),
    oldest: timeIn(headers, HEADER.oldest),
    edge: headers[HEADER.edge],
    checkpoint: headers[HEADER.checkpoint],
  };
}
