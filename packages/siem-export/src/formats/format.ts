import type { ExportEvent } from '../export-event.ts';
import type { TimePolicy } from '../time-policy.ts';

/** What a format made of one event. */
export type Formatted =
  /** One line without LF and CR, as text: a batch is encoded at once, so that no line costs a buffer of its own. */
  | { readonly kind: 'line'; readonly text: string }
  /** This format cannot hold it: it goes to the dead letters. */
  | { readonly kind: 'unrepresentable'; readonly reason: string };

/** How an event is written for a destination. Pure: the same event and context give the same text. */
export type Format = {
  readonly name: string;
  readonly format: (event: ExportEvent, context: FormatContext) => Formatted;
};

export type FormatContext = {
  /** RFC 3339: when the exporter wrote it. */
  readonly exportedTime: string;
  /** What stands in the destination's own time field; `occurred` where it is not given. */
  readonly timePolicy?: TimePolicy;
};
