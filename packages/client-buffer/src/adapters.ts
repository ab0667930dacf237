import type { Bytes } from '@tachograph/wire';
import type { LogStore } from './log-store.ts';
import type { TabChannel } from './tab-channel.ts';
import type { Transport } from './transport.ts';

type Clock = {
  /** Wall clock, milliseconds since the epoch. */
  wallMs(): number;
  /** Milliseconds since this page's origin; they never go back, and stop in sleep. */
  monotonicMs(): number;
};

export type Timers = {
  /** Runs `run` once after `ms` unless the answer was called before. */
  setTimeout(run: () => void, ms: number): () => void;
};

/** What the page tells. All of it is a hint: nothing rests on it. */
export type PageSignals = {
  online(): boolean;
  /** The network is back, or the page itself: from sleep, or from the back/forward cache, where timers stood still. */
  onReturn(listener: () => void): () => void;
  /** The page is being hidden or goes away. */
  onHide(listener: () => void): () => void;
};

/** Everything that is not pure, so that tests can put other things in its place. */
export type Adapters = {
  readonly store: LogStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: (length: number) => Bytes;
  readonly tabs: TabChannel;
  readonly page: PageSignals;
};
