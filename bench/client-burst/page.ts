import { defineEvents, openAuditBuffer } from '@tachograph/client-buffer';
import { makeBrowserOfflineTransport, makeFetchTransport } from '@sentry/browser';
import { Queue } from 'workbox-background-sync';
import { untilSigned } from './signed-size.ts';

/** What one run answers: how many events are durable, after how many milliseconds. */
export type Burst = { readonly events: number; readonly ms: number };

const ACTOR = { id: 'u_7', email: 'ana@acme.example', name: 'Ana' };
const TARGETS = [{ type: 'item', id: 'i_42', name: 'prod-db' }];

/** The same audit event for every candidate, about 385 bytes of JSON once ours has added its members. */
function body(i: number): string {
  return JSON.stringify({
    action: 'item.reveal',
    time: new Date().toISOString(),
    actor: ACTOR,
    targets: TARGETS,
    i,
  });
}

const passThrough = {
  '~standard': { version: 1, vendor: 'bench', validate: (value: unknown) => ({ value }) },
} as const;

/** Ours: recorded in one burst, each awaited until durable (committed with strict durability), then until a checkpoint over all of them is signed and stored. */
async function tachograph(events: number): Promise<Burst> {
  const tenant = `t${Date.now()}`;
  const audit = openAuditBuffer({
    endpoint: location.origin,
    authority: 'bench.example',
    tenant,
    events: defineEvents({ 'item.reveal': passThrough }),
  });
  const start = performance.now();
  const durable: Promise<unknown>[] = [];
  for (let i = 0; i < events; i++) {
    durable.push(audit.record('item.reveal', { actor: ACTOR, targets: TARGETS, data: { i } }).durable);
  }
  await Promise.all(durable);
  await untilSigned(`tachograph:bench.example/${tenant}`, events);
  const ms = performance.now() - start;
  await audit.close();
  return { events, ms };
}

/** workbox-background-sync: a failed request is kept as one row in its own transaction. */
async function workbox(events: number): Promise<Burst> {
  // Its Queue looks for Background Sync on a service worker's registration; a page has none, so it falls back.
  Object.defineProperty(self, 'registration', { value: {}, configurable: true });
  const queue = new Queue(`burst-${Date.now()}`, { onSync: () => undefined });
  const start = performance.now();
  const kept: Promise<void>[] = [];
  for (let i = 0; i < events; i++) {
    kept.push(
      queue.pushRequest({
        request: new Request(`${location.origin}/events`, { method: 'POST', body: body(i) }),
      }),
    );
  }
  await Promise.all(kept);
  return { events, ms: performance.now() - start };
}

/** Sentry's offline transport: an envelope that cannot be sent is kept as one row. */
async function sentry(events: number): Promise<Burst> {
  const transport = makeBrowserOfflineTransport(makeFetchTransport)({
    url: `${location.origin}/envelope`,
    recordDroppedEvent: () => undefined,
    dbName: `burst-${Date.now()}`,
    maxQueueSize: events + 1,
    bufferSize: events + 1,
    shouldSend: () => false,
    shouldStore: () => true,
    flushAtStartup: false,
  });
  const start = performance.now();
  const kept: Promise<unknown>[] = [];
  for (let i = 0; i < events; i++) {
    const eventId = i.toString(16).padStart(32, '0');
    kept.push(
      Promise.resolve(
        transport.send([
          { event_id: eventId, sent_at: new Date().toISOString() },
          [[{ type: 'event' }, { event_id: eventId, message: body(i) }]],
        ]),
      ),
    );
  }
  await Promise.all(kept);
  return { events, ms: performance.now() - start };
}

declare global {
  interface Window {
    bursts: { tachograph: typeof tachograph; workbox: typeof workbox; sentry: typeof sentry };
  }
}
window.bursts = { tachograph, workbox, sentry };
