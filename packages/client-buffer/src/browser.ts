import type { Bytes } from '@tachograph/wire';
import type { Adapters, PageSignals, Timers } from './adapters.ts';
import { fetchTransport } from './fetch-transport.ts';
import { IdbLogStore } from './idb-log-store.ts';
import { broadcastTabChannel } from './tab-channel.ts';

const OPEN_TIMEOUT_MS = 10_000;

/** Whether this is a browser's page or worker, and not a server that renders one. */
export function isBrowser(): boolean {
  return typeof indexedDB !== 'undefined';
}

/** The adapters of a browser. */
export function browserAdapters(name: string, endpoint: string): Adapters {
  return {
    store: new IdbLogStore(name, { openTimeoutMs: OPEN_TIMEOUT_MS, timers: TIMERS }),
    transport: fetchTransport(endpoint, TIMERS),
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
    timers: TIMERS,
    random: pooledRandom(),
    tabs: broadcastTabChannel(name),
    page: PAGE,
  };
}

const TIMERS: Timers = {
  setTimeout(run, ms) {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};

const PAGE: PageSignals = {
  // Node has a navigator without it; nobody is offline who cannot say so.
  online: () => typeof navigator === 'undefined' || !('onLine' in navigator) || navigator.onLine,
  onReturn: (listener) =>
    all(
      on(globalThis, 'online', listener),
      on(globalThis, 'pageshow', listener),
      onVisibility('visible', listener),
    ),
  // Never `unload`: it keeps the page out of the back/forward cache.
  onHide: (listener) => all(on(globalThis, 'pagehide', listener), onVisibility('hidden', listener)),
};

function onVisibility(state: DocumentVisibilityState, listener: () => void): () => void {
  // Workers have none.
  if (typeof document === 'undefined') return () => undefined;
  return on(document, 'visibilitychange', () => {
    if (document.visibilityState === state) listener();
  });
}

function all(...ends: (() => void)[]): () => void {
  return () => ends.forEach((end) => end());
}

function on(target: object, type: string, listener: () => void): () => void {
  if (!(target instanceof EventTarget)) return () => undefined;
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}

/** Random bytes out of a pool: one call a hundred events, instead of one an event. */
function pooledRandom(): (length: number) => Bytes {
  const pool = new Uint8Array(1024);
  let at = pool.length;
  return (length) => {
    if (at + length > pool.length) {
      crypto.getRandomValues(pool);
      at = 0;
    }
    at += length;
    return pool.slice(at - length, at);
  };
}
