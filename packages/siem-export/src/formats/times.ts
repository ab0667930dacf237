import { HEADER, type RecordHeaders } from '@tachograph/event-log';
import { timeBy } from '../time-policy.ts';
import type { FormatContext } from './format.ts';

/** RFC 3339, all but `latenessMs`. */
export type Times = {
  /** What the route puts into the destination's own time field. */
  readonly chosen: string;
  /** The best estimate. Of an alarm that says none: when it was written. */
  readonly occurred: string;
  readonly received: string | undefined;
  readonly exported: string;
  readonly earliest: string | undefined;
  readonly latest: string | undefined;
  readonly estimate: string | undefined;
  readonly latenessMs: number | undefined;
};

/** Every time of a record, as its headers have them. */
export function timesOf(headers: RecordHeaders, context: FormatContext): Times {
  const { occurred, received, exported } = mainTimes(headers, context);
  return {
    chosen: timeBy(context.timePolicy ?? 'occurred', { occurred, received, exported }),
    occurred,
    received,
    exported,
    earliest: timeIn(headers, HEADER.earliest),
    latest: timeIn(headers, HEADER.latest),
    estimate: headers[HEADER.estimate],
    latenessMs: integerIn(headers, HEADER.lateness),
  };
}

/** The time for the destination's own time field: RFC 3339. */
export function chosenTime(headers: RecordHeaders, context: FormatContext): string {
  return timeBy(context.timePolicy ?? 'occurred', mainTimes(headers, context));
}

function mainTimes(headers: RecordHeaders, { exportedTime: exported }: FormatContext) {
  const received = timeIn(headers, HEADER.recordedTime);
  return { occurred: timeIn(headers, HEADER.time) ?? received ?? exported, received, exported };
}

const RFC_3339 = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?Z$/;

/** A time that every destination takes for one; what is none stays behind in the raw event. */
export function timeIn(headers: RecordHeaders, name: string): string | undefined {
  const text = headers[name];
  return text !== undefined && RFC_3339.test(text) ? text : undefined;
}

export function integerIn(headers: RecordHeaders, name: string): number | undefined {
  const text = headers[name];
  if (text === undefined || !/^-?\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}
