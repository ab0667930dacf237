import 'fake-indexeddb/auto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineEvents, openAuditBuffer } from '@tachograph/client-buffer';
import { z } from 'zod';
import { eventually } from '../support/eventually.ts';
import { readFeed } from '../support/feed.ts';
import { freePort } from '../support/free-port.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import { killInReplay } from '../support/kill-in-replay.ts';
import { random } from '../support/random.ts';
import { createEnrolmentToken } from '../support/admin.ts';

const EVENTS = 20_000;
const KILLS = 20;
/** How far the replay gets between two kills, at least. */
const ADVANCE = 800;
const SEED = 20_261_122;
/** Each event carries this much, so that the replay takes more appends than there are kills. */
const PADDING = 'x'.repeat(900);

describe('the server killed with SIGKILL twenty times during a replay of 20,000 events', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;
  let port: number;

  beforeAll(async () => {
    dir = await tempDir();
    port = await freePort();
    server = await serve({ dataDir: dir.path, port });
  });
  afterAll(async () => {
    await server?.stop();
    await dir?.remove();
  });

  it('exports every event with a receipt once, in order (INV-06, INV-08, INV-09, INV-10)', async () => {
    const next = random(SEED);
    const audit = openAuditBuffer({
      endpoint: server.url,
      authority: 'localhost',
      tenant: 'demo',
      events: defineEvents({ 'item.reveal': z.object({ n: z.number(), padding: z.string() }) }),
    });
    const entries = Array.from({ length: EVENTS }, (_, n) =>
      audit.record('item.reveal', { actor: { id: 'u_7' }, data: { n, padding: PADDING } }),
    );
    await entries[EVENTS - 1]!.durable;
    await audit.enrol({ type: 'token', token: await createEnrolmentToken(server, 'demo') });

    const acceptedAtKill: number[] = [];
    for (let kills = 0; kills < KILLS; kills++) {
      // In the middle of an append, between two: the seed decides.
      const kill = killInReplay(audit, kills * ADVANCE, next() * 40, () => server.kill());
      acceptedAtKill.push(await kill);
      server = await serve({ dataDir: dir.path, port });
    }
    // Every kill fell into the replay.
    expect(acceptedAtKill.at(-1)).toBeLessThan(EVENTS);
    await audit.flush();
    const { origin, ledger } = audit.status();
    expect(ledger).toMatchObject({ pending: 0, lost: 0, gap: 0, rejected: 0 });
    await audit.close();

    const lines = await eventually('the whole feed', async () => {
      const own = (await readFeed(server.dataDir)).filter(({ source }) => source === origin);
      return own.length >= ledger.durable ? own : null;
    });
    expect(lines.map(({ sequence }) => Number(sequence))).toEqual(lines.map((_, i) => i));
    const recorded = lines.filter(({ type }) => type === 'item.reveal');
    expect(recorded.map(({ data }) => data?.id)).toEqual(entries.map(({ id }) => id));
  }, 180_000);
});
