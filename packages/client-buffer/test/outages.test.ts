import { cosign, parseCheckpointNote, SIGNATURE_TYPE } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import type { HttpAnswer } from '../src/transport.ts';
import { makeSigner } from './support/make-signer.ts';
import { codeOf, html, makeWorld, record, until, type TestBuffer, type World } from './support/harness.ts';

async function enrolled(world: World): Promise<TestBuffer> {
  const audit = world.open();
  await audit.enrol({ type: 'token', token: 'token-1' });
  return audit;
}

function json(status: number, body: object | string): HttpAnswer {
  return { kind: 'answer', status, retryAfter: null, body: JSON.stringify(body) };
}

/** Nothing was deleted, no successor was opened, and all of it arrives once the way is free. */
async function expectNothingLost(world: World, audit: TestBuffer, count: number): Promise<void> {
  const { origin, ledger } = audit.status();
  expect(ledger).toMatchObject({ pending: count, accepted: 0 });
  world.network.online();
  await audit.flush();
  expect(audit.status()).toMatchObject({ origin, state: 'online', ledger: { accepted: count, pending: 0 } });
  expect(world.ingest.devices.size).toBe(1);
  expect(world.ingest.device.leaves).toHaveLength(count);
}

describe('what stands between the device and ingest costs nothing', () => {
  it('keeps everything while offline, and replays 5,000 events in several appends', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    world.network.offline();
    await record(audit, 5_000);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    await expectNothingLost(world, audit, 5_000);
    const appends = world.ingest.requests.filter((line) => line.includes('/v1/logs/'));
    expect(appends.length).toBeGreaterThanOrEqual(3);
    await audit.close();
  });

  const portals: [string, (world: World) => HttpAnswer | Promise<HttpAnswer>][] = [
    ['HTML with 200', () => html(200)],
    ['HTML with 404', () => html(404)],
    ['HTML with 502', () => html(502)],
    ['a redirect that fetch refuses', () => ({ kind: 'failure', detail: 'unexpected redirect' })],
    ['JSON that is not ours', () => json(200, { ok: true })],
    ['a JSON string', () => json(200, 'receipt')],
    ['a receipt that is no signature', () => json(200, { receipt: '— x y\n', rejected: [] })],
    ['an error without a code', () => json(403, { error: 'forbidden' })],
    [
      'a 409 with a null checkpoint',
      () => json(409, { code: 'ERR_SIZE_CONFLICT', size: 0, checkpoint: null }),
    ],
    [
      'a 409 with a made-up checkpoint',
      () => json(409, { code: 'ERR_SIZE_CONFLICT', checkpoint: 'a\n1\nb\n' }),
    ],
    [
      'a 422 with a null checkpoint',
      () => json(422, { code: 'ERR_ROOT_MISMATCH', size: 0, checkpoint: null }),
    ],
  ];
  it.each(portals)('%s: nothing is deleted, no successor, all arrives afterwards', async (_, answer) => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    world.network.intercept = () => answer(world);
    await record(audit, 10);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    await expectNothingLost(world, audit, 10);
    await audit.close();
  });

  it('does not take a receipt of the right shape by a wrong key (INV-02)', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    const forger = await makeSigner('audit.example.com/ingest', SIGNATURE_TYPE.cosignature);
    world.network.intercept = async ({ path, body }) => {
      if (!path.startsWith('/v1/logs/')) return null;
      const text = new TextDecoder().decode(body);
      const start = text.indexOf('\n\n', text.indexOf('old ')) + 2;
      const end = text.indexOf('\n\n', text.indexOf('— ', start)) + 1;
      const checkpoint = parseCheckpointNote(text.slice(start, end));
      if (!checkpoint.ok) throw new Error(checkpoint.fault.detail);
      return json(200, { receipt: await cosign(checkpoint.value, 1_795_341_600, forger), rejected: [] });
    };
    await record(audit, 10);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    await expectNothingLost(world, audit, 10);
    await audit.close();
  });

  it('survives the loss of every second append answer', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    let count = 0;
    world.network.onAnswer = (answer) =>
      ++count % 2 === 1 ? { kind: 'failure', detail: 'connection reset' } : answer;
    const entries = await record(audit, 3_000);
    await until(() => {
      world.clock.advance(400_000);
      return audit.status().ledger.accepted === 3_000;
    }, 'all accepted');
    expect((await entries[2_999]!.accepted).index).toBe(2_999);
    expect(world.ingest.device.leaves).toHaveLength(3_000);
    await audit.close();
  });

  it('survives the loss of a check-in answer, and then has its lease', async () => {
    const world = await makeWorld();
    const audit = world.open();
    world.network.onAnswer = (answer, { path }) =>
      path.startsWith('/v1/logs') ? { kind: 'failure', detail: 'reset' } : answer;
    await audit.enrol({ type: 'token', token: 'token-1' });
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    expect(await audit.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'no-lease' });
    world.network.online();
    await audit.flush();
    expect(await audit.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: true });
    await audit.close();
  });

  it('uploads a week of events recorded before enrolment, with the clock moved in between', async () => {
    const world = await makeWorld();
    world.network.offline();
    let audit = world.open();
    for (let day = 0; day < 7; day++) {
      await record(audit, 20, `day-${day}`);
      await audit.close();
      world.clock.wall += day === 3 ? -5 * 86_400_000 : 86_400_000;
      world.clock.monotonic = 500;
      audit = world.open();
    }
    world.network.online();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    const vaults = world.ingest.eventsOf(world.ingest.device).map(({ data }) => data?.['vault']);
    expect(vaults).toHaveLength(140);
    expect(vaults[139]).toBe('day-6-19');
    expect(audit.status().ledger).toMatchObject({ recorded: 140, accepted: 140, gap: 0, lost: 0 });
    await audit.close();
  });

  it('something that answers and never brings us on is not asked for ever', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    await record(audit, 3);
    await audit.flush();
    await record(audit, 2);
    // It knows no device, and thanks for each restoration.
    world.network.intercept = ({ path }) =>
      path.endsWith('/restore') ? json(200, {}) : json(404, { code: 'ERR_UNKNOWN_DEVICE', detail: '' });
    const before = world.network.sent;
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    expect(world.network.sent - before).toBeLessThan(50);
    world.network.online();
    await audit.flush();
    expect(audit.status().ledger).toMatchObject({ accepted: 5, pending: 0, lost: 0 });
    await audit.close();
  });

  it('directives and members of an answer that it does not know harm nothing', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    world.network.onAnswer = (answer) => {
      if (answer.kind === 'failure') return answer;
      const directives = ['tachograph purge/v1\nno note\n', 'tachograph recall/v9', 7, null, { id: 1 }, []];
      const body = JSON.stringify({ ...(JSON.parse(answer.body) as object), directives, mood: 'fine' });
      return { ...answer, body };
    };
    const entries = await record(audit, 3);
    await audit.flush();
    expect((await entries[2]!.accepted).index).toBe(2);
    // What calls itself a purge and is none is told; what is of a kind not known here is not.
    expect(audit.status()).toMatchObject({
      state: 'online',
      problem: { code: 'ERR_NOTE' },
      purge: null,
      ledger: { pending: 0 },
    });
    await audit.close();
  });

  it('a buffer that is closed while it sends says so to whoever waits for the flush', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    world.network.offline();
    await record(audit, 3_000);
    world.network.online();
    const closings: Promise<void>[] = [];
    world.network.onAnswer = (answer) => {
      if (closings.length === 0) closings.push(audit.close());
      return answer;
    };
    expect(await codeOf(audit.flush())).toBe('ERR_BUFFER_CLOSED');
    await Promise.all(closings);
    const again = world.open();
    await again.flush();
    expect(world.ingest.device.leaves).toHaveLength(3_000);
    await again.close();
  });

  it('honours Retry-After, and does not try before', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    await audit.flush();
    world.network.intercept = () => ({ kind: 'answer', status: 503, retryAfter: '120', body: 'busy' });
    await record(audit, 1);
    await until(() => audit.status().state === 'offline', 'set back');
    const { sent } = world.network;
    world.network.online();
    world.clock.advance(119_000);
    await record(audit, 1);
    expect(world.network.sent).toBe(sent);
    world.clock.advance(2_000_000);
    await until(() => audit.status().ledger.accepted === 2, 'sent after the wait');
    await audit.close();
  });

  it('halves its batches on 413 until they pass', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    world.network.offline();
    await record(audit, 400);
    let largest = 0;
    world.network.intercept = ({ body }) => {
      if (body !== undefined && body.length > 50_000)
        return json(413, { code: 'ERR_BODY_TOO_LARGE', limit: 50_000 });
      largest = Math.max(largest, body?.length ?? 0);
      return null;
    };
    await audit.flush();
    expect(world.ingest.device.leaves).toHaveLength(400);
    expect(largest).toBeGreaterThan(10_000);
    await audit.close();
  });

  it('sends a small batch while the page is hidden, also during a wait', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    await audit.flush();
    world.network.offline();
    await record(audit, 5);
    await until(() => audit.status().state === 'offline', 'set back');
    world.network.online();
    let keepalive: boolean | undefined;
    world.network.intercept = (request) => {
      keepalive = request.keepalive;
      return null;
    };
    world.page.hide();
    await until(() => audit.status().ledger.accepted === 5, 'parting batch');
    expect(keepalive).toBe(true);
    await audit.close();
  });
});
