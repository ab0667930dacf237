import type { LogAlarm } from '@tachograph/event-log';
import { assertNever, toBase64 } from '@tachograph/wire';
import type { Finding } from './notice.ts';

/** What the log-order filter found. Whoever reports a fork gives it the same id. */
export function findingOfAlarm(alarm: LogAlarm): Finding {
  const { at, id, kind, origin } = alarm;
  return { id, kind, origin, at, data: detailsOf(alarm) };
}

function detailsOf(alarm: LogAlarm): { readonly [name: string]: unknown } {
  switch (alarm.kind) {
    case 'log.gap':
      return alarm.indices;
    case 'log.forked':
      return { ...alarm.indices, root: toBase64(alarm.root), checkpoint: alarm.checkpoint };
    case 'log.invalid':
      return {
        reason: alarm.reason,
        records: alarm.records,
        partition: alarm.at.partition,
        offset: alarm.at.offset,
      };
    default:
      return assertNever(alarm);
  }
}
