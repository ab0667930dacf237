/** Port: tells the other tabs of this tenant that the store changed. A message may be lost: all of them also poll. */
export type TabChannel = {
  announce(): void;
  /** Calls `listener` when another tab announced. */
  listen(listener: () => void): void;
  close(): void;
};

/** For where there are no other tabs, or no way to reach them. */
const SILENT_CHANNEL: TabChannel = {
  announce: () => undefined,
  listen: () => undefined,
  close: () => undefined,
};

export function broadcastTabChannel(name: string): TabChannel {
  if (typeof BroadcastChannel === 'undefined') return SILENT_CHANNEL;
  const channel = new BroadcastChannel(name);
  // In Node an open channel would keep the process alive; browsers have no `unref`.
  if ('unref' in channel && typeof channel.unref === 'function') channel.unref();
  return {
    announce: channel.postMessage.bind(channel, 'changed'),
    listen: (listener) => channel.addEventListener('message', listener),
    close: () => channel.close(),
  };
}
