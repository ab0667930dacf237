import type { Bytes } from '@tachograph/wire';
import type { ExportEvent } from '../export-event.ts';

/** What a format made of one event. */
export type Formatted =
  /** One line of UTF-8 without LF and CR. */
  | { readonly kind: 'line'; readonly bytes: Bytes }
  /** This format cannot hold it: it goes to the dead letters. */
  | { readonly kind: 'unrepresentable'; readonly reason: string };

/** How an event is written for a destination. Pure: the same event and context give the same bytes. */
export type Format = {
  readonly name: string;
  readonly format: (event: ExportEvent, context: FormatContext) => Formatted;
};

type FormatContext = {
  /** RFC 3339: when the exporter wrote it. */
  readonly exportedTime: string;
};
