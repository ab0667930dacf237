import { assertNever } from '@tachograph/wire';
import { destinationText } from '../probe/destination.ts';
import { deadLettersStem, type RouteInput } from '../route.ts';
import type { TimePolicy } from '../time-policy.ts';

/** A route in the words of `export plan`. */
export type DescribedRoute = {
  readonly name: string;
  readonly tenants: '*' | readonly string[];
  /** `null` is all of them. */
  readonly actions: readonly string[] | null;
  readonly format: string;
  readonly time: string;
  /** Never with a secret. */
  readonly destination: string;
  readonly deadLetters: string;
};

export function describeRoute(route: RouteInput): DescribedRoute {
  const { name, tenants, actions = null, format, time = 'occurred', sink } = route;
  return {
    name,
    tenants,
    actions,
    format,
    time: timeText(time),
    destination: destinationText(sink),
    deadLetters: `${deadLettersStem(route)}.ndjson`,
  };
}

function timeText(time: TimePolicy): string {
  if (typeof time !== 'string') return `auto, ${time.auto.olderThanHours} h`;
  switch (time) {
    case 'occurred':
    case 'received':
      return time;
    default:
      return assertNever(time);
  }
}
