import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Adapters } from '../../src/adapters.ts';
import type { AuditBuffer, BufferConfig } from '../../src/audit-buffer.ts';
import { checkNames } from '../../src/buffer-names.ts';
import { defineEvents } from '../../src/define-events.ts';
import type { LogStore } from '../../src/log-store.ts';
import { Engine } from '../../src/engine.ts';
import { bufferOver } from '../../src/typed-buffer.ts';
import { MemoryLogStore } from '../../src/memory-log-store.ts';
import type { StandardSchema } from '../../src/standard-schema.ts';
import type { TabChannel } from '../../src/tab-channel.ts';
import type { HttpAnswer, HttpRequest, Transport } from '../../src/transport.ts';
import { FakeIngest } from './fake-ingest.ts';

/** A schema without a library: an object with a string `vault`. */
export const vaultSchema: StandardSchema<{ vault: string }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'object' && value !== null && 'vault' in value && typeof value.vault === 'string'
        ? { value: value as { vault: string } }
        : { issues: [{ message: 'expected string', path: ['vault'] }] },
  },
};

export const events = defineEvents({ 'item.reveal': vaultSchema });
export type TestBuffer = AuditBuffer<{ 'item.reveal': StandardSchema<{ vault: string }> }>;

export const actor = { id: 'u_7' };

/** A clock that stands until it is moved, and the timers that hang on it. */
export class FakeClock {
  wall = Date.parse('2026-11-22T10:00:00.000Z');
  monotonic = 1000;
  #timers: { at: number; run: () => void }[] = [];

  readonly clock = { wallMs: () => this.wall, monotonicMs: () => this.monotonic };
  readonly timers = {
    setTimeout: (run: () => void, ms: number) => {
      const timer = { at: this.monotonic + ms, run };
      this.#timers.push(timer);
      if (ms <= 0) void nextTurn().then(() => this.#fire());
      return () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      };
    },
  };

  advance(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
    this.#fire();
  }

  #fire(): void {
    const due = this.#timers.filter(({ at }) => at <= this.monotonic);
    this.#timers = this.#timers.filter(({ at }) => at > this.monotonic);
    for (const { run } of due) run();
  }
}

/** Passes requests to an ingest, through whatever stands in between. */
export class FakeNetwork implements Transport {
  readonly ingest: FakeIngest;
  /** Answers in place of ingest, or `null` to let the request pass. */
  intercept: (request: HttpRequest) => HttpAnswer | null | Promise<HttpAnswer | null> = () => null;
  /** Changes what ingest answered on its way back. */
  onAnswer: (answer: HttpAnswer, request: HttpRequest) => HttpAnswer | Promise<HttpAnswer> = (answer) =>
    answer;
  sent = 0;

  constructor(ingest: FakeIngest) {
    this.ingest = ingest;
  }

  offline(): void {
    this.intercept = () => ({ kind: 'failure', detail: 'offline' });
  }

  online(): void {
    this.intercept = () => null;
    this.onAnswer = (answer) => answer;
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    this.sent++;
    const instead = await this.intercept(request);
    if (instead !== null) return instead;
    const { method, path, body } = request;
    const response = await this.ingest.handle(
      new Request(`https://audit.example.com${path}`, { method, ...(body === undefined ? {} : { body }) }),
    );
    const answer: HttpAnswer = {
      kind: 'answer',
      status: response.status,
      retryAfter: response.headers.get('Retry-After'),
      body: await response.text(),
    };
    return this.onAnswer(answer, request);
  }
}

export function html(status: number): HttpAnswer {
  return { kind: 'answer', status, retryAfter: null, body: '<html><h1>Welcome to Airport WiFi</h1></html>' };
}

/** Tabs of one browser: what one announces, the others hear. */
export class FakeTabs {
  readonly #tabs: { listener: () => void }[] = [];

  channel(): TabChannel {
    const own = { listener: (): void => undefined };
    this.#tabs.push(own);
    return {
      announce: () => {
        for (const tab of this.#tabs) if (tab !== own) tab.listener();
      },
      listen: (listener) => {
        own.listener = listener;
      },
      close: () => {
        own.listener = () => undefined;
      },
    };
  }
}

/** A memory store that counts as a disk, so that it can be reopened. */
export class DurableMemoryStore extends MemoryLogStore {
  override readonly durable = true;
  override close(): void {
    // A disk outlives the page.
  }
}

/** `says` is the page's own word for being online. */
export type Page = { says: boolean; hide: () => void; online: () => void };

export type World = {
  readonly clock: FakeClock;
  readonly ingest: FakeIngest;
  readonly network: FakeNetwork;
  readonly store: LogStore;
  readonly tabs: FakeTabs;
  readonly page: Page;
  /** Opens a tab. */
  open(options?: Partial<BufferConfig> & { store?: LogStore; transport?: Transport }): TestBuffer;
};

export async function makeWorld(store: LogStore = new DurableMemoryStore()): Promise<World> {
  const clock = new FakeClock();
  const ingest = await FakeIngest.open({ now: () => clock.wall });
  ingest.tokens.add('token-1');
  const network = new FakeNetwork(ingest);
  const tabs = new FakeTabs();
  const page: Page = { says: true, hide: () => undefined, online: () => undefined };
  return {
    clock,
    ingest,
    network,
    store,
    tabs,
    page,
    open({ store: own = store, transport = network, ...config } = {}) {
      const adapters: Adapters = {
        store: own,
        transport,
        clock: clock.clock,
        timers: clock.timers,
        random: (length) => crypto.getRandomValues(new Uint8Array(length)),
        tabs: tabs.channel(),
        page: {
          online: () => page.says,
          onReturn: (listener) => {
            page.online = listener;
            return () => undefined;
          },
          onHide: (listener) => {
            page.hide = listener;
            return () => undefined;
          },
        },
      };
      const base = {
        endpoint: 'https://audit.example.com',
        authority: 'audit.example.com',
        tenant: 'acme',
        events,
      };
      const whole = { ...base, ...config, events };
      const engine = new Engine(whole, checkNames(whole), adapters);
      return bufferOver(engine, whole, () => engine.close());
    },
  };
}

/** Records `count` events and resolves when all are durable. */
export async function record(buffer: TestBuffer, count: number, vault = 'v_1') {
  const entries = Array.from({ length: count }, (_, i) =>
    buffer.record('item.reveal', { actor, data: { vault: `${vault}-${i}` } }),
  );
  await Promise.all(entries.map(({ durable }) => durable));
  return entries;
}

const PATIENCE_MS = 15_000;

/** Waits for a condition, turn by turn: by time, because on a busy machine a signature takes many turns. */
export async function until(condition: () => boolean, what = 'condition'): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline;) {
    if (condition()) return;
    await nextTurn();
  }
  throw new Error(`never came true: ${what}`);
}

/** The code of the error that `promise` rejects with, or `null`. */
export async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
