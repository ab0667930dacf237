import type { Bytes } from '@tachograph/wire';

/** One entry of a device's log as a feed has it. */
export type FeedEntry = {
  readonly origin: string;
  readonly index: number;
  /** The exact bytes of the leaf; `null` where the feed's text is damaged beyond reading them. */
  readonly leaf: Bytes | null;
  /** What the feed says that the leaf hash is; `null` where it says nothing. */
  readonly claimedHash: Bytes | null;
  /** The edge of an append that begins here, as its header has it. */
  readonly edge: string | null;
  /** The device-signed note of an append that ends here. */
  readonly checkpoint: string | null;
  /** The event's action, by which the few that say something about other logs are found. */
  readonly action: string;
  /** Where it was read, in words: a file and a line, or a partition and an offset. */
  readonly place: string;
};

/** What reading a feed gives: an entry, or something that stands in no log. */
export type FeedItem =
  | { readonly kind: 'entry'; readonly entry: FeedEntry }
  /** A dead letter: it counts where the feed does not have the entry. */
  | { readonly kind: 'spare'; readonly entry: FeedEntry }
  /** Told by the exporter itself: not signed by anybody. */
  | {
      readonly kind: 'notice';
      readonly action: string;
      readonly origin: string | null;
      readonly place: string;
    }
  /** A line that is none of ours, or is damaged so that nobody knows of what it was. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly place: string };

/** Where a feed is read from. Within one device's log the order of the feed is the order of reading. */
export type FeedSource = {
  /** What is read, in words. */
  readonly name: string;
  /** Whether the order in which entries come says anything. A search index answers in whatever order it was asked for. */
  readonly isOrdered: boolean;
  readonly items: () => AsyncIterable<readonly FeedItem[]>;
};
