import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { partitionOf } from '@tachograph/event-log';
import { LIMITS, utf8 } from '@tachograph/wire';
import { DEFAULT_POLICY } from '../src/core/policy.ts';
import { FakeTiming } from './fake-timing.ts';
import { GatedLog } from './gated-log.ts';
import { AUTHORITY, eventually, Harness, replay, TENANT, type Answered, type Node } from './harness.ts';
import { TestDevice } from './test-device.ts';

const OTHER = 'other';
const LANE_BYTES_MAX = 400_000;
const ROOMY = 32 * 1024 * 1024;
const DEADLINE_MS = 15_000;

let harness: Harness;
let log: GatedLog;
let timing: FakeTiming;
let node: Node;
beforeEach(() => start(LANE_BYTES_MAX));
afterEach(async () => {
  log.release();
  log.back();
  await harness.close();
});

async function start(laneBytesMax: number): Promise<void> {
  harness = await Harness.create({ laneBytesMax, appendTimeoutMs: DEADLINE_MS });
  log = new GatedLog();
  timing = new FakeTiming();
  node = await harness.node({ log: log.wrap, timing });
  await node.ingest.ready();
  const policy = JSON.stringify(DEFAULT_POLICY);
  const row = { id: OTHER, name: 'Other', parent: null, policy, created_at: harness.now };
  await node.registry.db.insertInto('tenants').values(row).execute();
}

/** A device of `tenant` whose events go to partition 0, with `leaves` of them. */
async function device(tenant: string, leaves = 1): Promise<TestDevice> {
  const made = await TestDevice.create(AUTHORITY, tenant);
  let installation = 'i';
  while (partitionOf(`${tenant}/${installation}`, 4) !== 0) installation += 'i';
  await harness.enrol(node, made, { tenant, installation });
  made.record(leaves);
  return made;
}

function devices(tenant: string, count: number, leaves = 1): Promise<TestDevice[]> {
  return Promise.all(Array.from({ length: count }, () => device(tenant, leaves)));
}

async function figure(name: string): Promise<number> {
  const line = (await node.ingest.context.metrics.exposition())
    .split('\n')
    .find((text) => text.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const inLanes = (): Promise<number> => figure('tachograph_held_bytes{where="lanes"}');
const refused = (reason: string): Promise<number> =>
  figure(`tachograph_refused_requests_total{reason="${reason}"}`);

function unavailable(detail: string) {
  return {
    status: 503,
    retryAfter: '2',
    body: { code: 'ERR_LOG_UNAVAILABLE', detail, retryAfterSeconds: 2 },
  };
}

/** Lets the lane learn that its log is quick: by this time, nothing takes any. */
async function warmUp(): Promise<void> {
  expect((await node.send(await device(TENANT), 0)).status).toBe(200);
}

describe('a lane whose append does not settle', () => {
  it('refuses new requests at once after 80 ms, and those that wait at their deadline (INV-14)', async () => {
    await warmUp();
    log.hold();
    const [first, second, late] = await devices(TENANT, 3);
    const before = log.appends;
    const inFlight = node.send(first!, 0);
    await eventually(() => log.appends === before + 1);
    timing.advance(60);
    const queued = node.send(second!, 0);
    await eventually(async () => (await inLanes()) > 40_000);
    timing.advance(20);
    expect(await node.send(late!, 0)).toMatchObject(unavailable('the log takes longer than it usually does'));
    expect(await refused('log_stalled')).toBe(1);

    // The first one's time is up; the second came 60 ms later. Both are told, neither is in the log.
    timing.advance(DEADLINE_MS - 81);
    expect(await refused('deadline')).toBe(0);
    log.away();
    timing.advance(20);
    const answers = await Promise.all([inFlight, queued]);
    for (const answer of answers) expect(answer).toMatchObject({ status: 503, retryAfter: '2' });
    await eventually(async () => (await inLanes()) === 0);
    log.back();
    log.release();
    timing.advance(250);
    await eventually(() => node.ingest.isReady());
    for (const again of [first!, second!, late!]) await replay(node, again);
    expect(await node.recordsOf(second!)).toHaveLength(1);
  });

  it('counts what is on its way into the log until it has settled, also when its sender is gone', async () => {
    log.hold();
    const sent = await device(TENANT, 3);
    const { hostname, port } = new URL(node.url);
    const socket = connect(Number(port), hostname);
    const body = await sent.append(0);
    const head = `POST ${sent.path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain`;
    socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n`);
    socket.write(body);
    await eventually(async () => (await inLanes()) > 0);
    const held = await inLanes();
    expect(await figure('tachograph_held_bytes{where="bodies"}')).toBe(0);
    socket.destroy();
    await eventually(
      () =>
        new Promise<boolean>((resolve) => node.ingest.app.server.getConnections((_e, n) => resolve(n === 0))),
    );
    expect(await inLanes()).toBe(held);
    log.release();
    await eventually(async () => (await inLanes()) === 0);
    expect(await node.recordsOf(sent)).toHaveLength(3);
  });

  it('takes requests again as soon as its log settles', async () => {
    await warmUp();
    log.hold();
    const [first, second] = await devices(TENANT, 2);
    const before = log.appends;
    const inFlight = node.send(first!, 0);
    await eventually(() => log.appends === before + 1);
    timing.advance(5_000);
    expect((await node.send(second!, 0)).status).toBe(503);
    log.release();
    expect((await inFlight).status).toBe(200);
    expect((await node.send(second!, 0)).status).toBe(200);
  });
});

describe('a log that is away', () => {
  it('is looked for by one loop a lane, costs no timer and no byte a request, and is found within 250 ms', async () => {
    const [first, ...others] = await devices(TENANT, 20);
    log.away();
    expect((await node.send(first!, 0)).status).toBe(503);
    await eventually(
      async () => (await node.send(first!, 0)).status === 503 && (await refused('log_away')) > 0,
    );
    await eventually(() => timing.timers > 0);
    const { looks } = log;
    const { timers } = timing;
    const answers: Answered[] = [];
    for (let second = 0; second < 120; second++) {
      answers.push(await node.send(others[second % others.length]!, 0));
      timing.advance(1_000);
    }
    for (const answer of answers)
      expect(answer).toMatchObject(unavailable('the log did not settle the append'));
    expect(log.looks - looks).toBeLessThanOrEqual(120 * 4);
    expect(timing.timers).toBeLessThanOrEqual(timers);
    expect(await inLanes()).toBe(0);

    log.back();
    timing.advance(250);
    await eventually(() => node.ingest.isReady());
    for (const again of [first!, ...others]) expect((await node.send(again, 0)).status).toBe(200);
  });
});

describe('two tenants of one lane', () => {
  it('cannot push each other out: one that sends without end keeps its share, the other is taken (INV-14)', async () => {
    log.hold();
    const [first, ...greedy] = await devices(TENANT, 30, 20);
    const modest = await devices(OTHER, 2, 20);
    const sent = [node.send(first!, 0)];
    await eventually(() => log.appends === 1);
    const size = await inLanes();
    const waiting = async (): Promise<number> => Math.round((await inLanes()) / size);

    sent.push(...greedy.map((each) => node.send(each, 0)));
    await eventually(async () => (await refused('tenant_share')) + (await waiting()) === 30);
    const ofGreedy = await waiting();
    expect(ofGreedy).toBe(Math.floor(LANE_BYTES_MAX / 2 / size));
    const refusal = await Promise.any(sent.map(async (answer) => must(503, await answer)));
    expect(refusal).toMatchObject({
      retryAfter: '2',
      body: { code: 'ERR_OVERLOADED', retryAfterSeconds: 2 },
    });

    const theirs = modest.map((each) => node.send(each, 0));
    await eventually(async () => (await waiting()) === ofGreedy + 2);
    log.release();
    expect((await Promise.all(theirs)).map(({ status }) => status)).toEqual([200, 200]);
    const taken = (await Promise.all(sent)).filter(({ status }) => status === 200);
    expect(taken).toHaveLength(ofGreedy);
    await eventually(async () => (await inLanes()) === 0);
  });
});

function must(status: number, answer: Answered): Answered {
  if (answer.status !== status) throw new Error(`answered ${answer.status}`);
  return answer;
}

describe('the quota of a tenant', () => {
  async function setQuota(tenant: string, quota: object): Promise<void> {
    await node.registry.db
      .updateTable('tenants')
      .set({ policy: JSON.stringify({ quota }) })
      .where('id', '=', tenant)
      .execute();
  }

  it('of appends holds for all its devices together, and for no other tenant', async () => {
    await setQuota(TENANT, { appendsPerSecond: 2 });
    const [a, b, c] = await devices(TENANT, 3);
    const foreign = await device(OTHER);
    expect((await node.send(a!, 0)).status).toBe(200);
    expect((await node.send(b!, 0)).status).toBe(200);
    expect(await node.send(c!, 0)).toMatchObject({
      status: 429,
      retryAfter: '1',
      body: {
        code: 'ERR_RATE',
        detail: 'the quota of this tenant is used up for now',
        retryAfterSeconds: 1,
      },
    });
    expect((await node.send(foreign, 0)).status).toBe(200);
    harness.now += 500;
    expect((await node.send(c!, 0)).status).toBe(200);
    expect(await figure('tachograph_rate_limited_requests_total{limit="tenant"}')).toBe(1);
  });

  it('of events lets the largest append pass, then makes it wait for what it took', async () => {
    await harness.close();
    await start(ROOMY);
    await setQuota(TENANT, { eventsPerSecond: 10 });
    const [big, small] = await Promise.all([device(TENANT, 0), device(TENANT, 10)]);
    for (let i = 0; i < LIMITS.appendLeavesMax; i++) big.leaves.push(utf8('no event, and it counts'));
    expect((await node.send(big, 0)).status).toBe(200);
    expect(await node.send(small, 0)).toMatchObject({ status: 429, retryAfter: '1' });
    harness.now += 1_000;
    expect((await node.send(small, 0)).status).toBe(200);
    expect(await node.send(small, 10)).toMatchObject({ status: 200 });
  });

  it('is not used up by what a stranger sends in its name', async () => {
    await setQuota(TENANT, { appendsPerSecond: 1 });
    const honest = await device(TENANT);
    const forged = await TestDevice.create(AUTHORITY, TENANT);
    await harness.enrol(node, forged, { public_key: honest.publicKey });
    forged.record(1);
    for (let i = 0; i < 5; i++) expect((await node.send(forged, 0)).status).toBe(403);
    expect((await node.send(honest, 0)).status).toBe(200);
  });

  it('of bytes that wait is 429, while the lane has room', async () => {
    await harness.close();
    await start(ROOMY);
    await setQuota(TENANT, { waitingBytes: 2_097_152 });
    log.hold();
    const [first, second] = await devices(TENANT, 2, 1_500);
    const waiting = node.send(first!, 0);
    await eventually(async () => (await inLanes()) > 1_200_000);
    expect(await node.send(second!, 0)).toMatchObject({
      status: 429,
      retryAfter: '2',
      body: { code: 'ERR_RATE', detail: 'too many bytes of this tenant are waiting to be appended' },
    });
    expect(await refused('tenant_quota')).toBe(1);
    log.release();
    expect((await waiting).status).toBe(200);
    expect((await node.send(second!, 0)).status).toBe(200);
  });
});
