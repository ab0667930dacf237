import 'fake-indexeddb/auto';
import { expect } from '@jest/globals';
import { defineEvents, openAuditBuffer } from '@tachograph/client-buffer';
import { z } from 'zod';
import { createEnrolmentToken } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { readFeedLines, type FeedLine } from '../support/feed.ts';
import { killInReplay } from '../support/kill-in-replay.ts';
import { random } from '../support/random.ts';
import { serve, type Served } from '../support/serve.ts';

/** A server that is started again, at the same address and over the same folder, each time it was killed. */
export class MortalServer {
  readonly #options: Parameters<typeof serve>[0] & { readonly port: number };
  #served: Served | null = null;

  constructor(options: Parameters<typeof serve>[0] & { readonly port: number }) {
    this.#options = options;
  }

  get now(): Served {
    if (this.#served === null) throw new Error('the server has not been started');
    return this.#served;
  }

  async start(): Promise<void> {
    this.#served = await serve(this.#options);
  }

  async stop(): Promise<void> {
    await this.#served?.stop();
  }
}

export type Replay = {
  readonly seed: number;
  readonly events: number;
  readonly kills: number;
  /** How far the replay gets between two kills, at least. */
  readonly advance: number;
  /** Each event carries this much, so that the replay takes more appends than there are kills. */
  readonly paddingBytes: number;
};

export type Replayed = {
  /** The device's log. */
  readonly origin: string;
  /** How many entries it has: the events, and what the library records by itself. */
  readonly durable: number;
  /** Ids of the events, in the order in which they were recorded. */
  readonly ids: readonly string[];
};

/** Records events, uploads them while the server is killed again and again, and ends when all have a receipt. */
export async function replayThroughKills(server: MortalServer, replay: Replay): Promise<Replayed> {
  const next = random(replay.seed);
  const audit = openAuditBuffer({
    endpoint: server.now.url,
    authority: 'localhost',
    tenant: 'demo',
    events: defineEvents({ 'item.reveal': z.object({ n: z.number(), padding: z.string() }) }),
  });
  const padding = 'x'.repeat(replay.paddingBytes);
  const entries = Array.from({ length: replay.events }, (_, n) =>
    audit.record('item.reveal', { actor: { id: 'u_7' }, data: { n, padding } }),
  );
  await entries.at(-1)!.durable;
  await audit.enrol({ type: 'token', token: await createEnrolmentToken(server.now, 'demo') });

  const acceptedAtKill: number[] = [];
  for (let kills = 0; kills < replay.kills; kills++) {
    // In the middle of an append, between two: the seed decides.
    const kill = killInReplay(audit, kills * replay.advance, next() * 40, () => server.now.kill());
    acceptedAtKill.push(await kill);
    await server.start();
  }
  console.log(`accepted at each kill: ${acceptedAtKill.join(', ')}`);
  // Every kill fell into the replay.
  expect(acceptedAtKill.at(-1)).toBeLessThan(replay.events);
  await audit.flush();
  const { origin, ledger } = audit.status();
  expect(ledger).toMatchObject({ pending: 0, lost: 0, gap: 0, rejected: 0 });
  await audit.close();
  return { origin: origin!, durable: ledger.durable, ids: entries.map(({ id }) => id) };
}

/** The lines of the feed that a log has, once they are all there: each index once, and the events as recorded. */
export async function expectWholeFeed(
  server: MortalServer,
  { origin, durable, ids }: Replayed,
): Promise<string[]> {
  const lines = await eventually(
    'the whole feed',
    async () => {
      const own = (await readFeedLines(server.now.dataDir)).filter((line) => parsed(line).source === origin);
      return own.length >= durable ? own : null;
    },
    30_000,
  );
  const feed = lines.map(parsed);
  expect(feed.map(({ sequence }) => Number(sequence))).toEqual(lines.map((_, i) => i));
  const recorded = feed.filter(({ type }) => type === 'item.reveal');
  expect(recorded.map(({ data }) => data?.id)).toEqual(ids);
  return lines;
}

function parsed(line: string): FeedLine {
  return JSON.parse(line) as FeedLine;
}
