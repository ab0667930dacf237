import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LEASE_NOTE, openStatement } from '@tachograph/wire';
import { parseNetwork } from '../src/core/network.ts';
import { GatedLog } from './gated-log.ts';
import { eventually, Harness, TENANT, type Answered, type Node } from './harness.ts';
import type { TestDevice } from './test-device.ts';

let harness: Harness;
let node: Node;
let device: TestDevice;
beforeEach(async () => {
  harness = await Harness.create({ trustedProxies: [parseNetwork('127.0.0.1')!] });
  node = await harness.node();
  device = await harness.enrolled(node);
});
afterEach(() => harness.close());

const OFFICE = '10.1.2.3';
const HOME = '203.0.113.9';

const policy = {
  enrolment: {
    rules: [
      { cidr: '10.0.0.0/8', action: 'allow', lease: 'office' },
      { cidr: '203.0.113.0/24', action: 'allow_without_cache' },
      { cidr: '198.51.100.0/24', action: 'report' },
      { action: 'deny' },
    ],
  },
  leases: { office: { blockAfterHours: 0.01, wipeAfterHours: 48 } },
};

function setPolicy(next: object = policy) {
  return node.admin('PUT', `/tenants/${TENANT}/policy`, next);
}

async function checkIn(address: string, statement: object = {}, of = node): Promise<Answered> {
  const { length } = device.leaves;
  const body = await device.append(length, length, statement);
  return of.post(device.path, body, 'text/plain', { 'x-forwarded-for': address });
}

async function leaseOf({ body }: Answered) {
  if (body.lease === undefined) return null;
  const opened = await openStatement(LEASE_NOTE, body.lease, [harness.keys.lease.key]);
  if (!opened.ok) throw new Error(opened.fault.detail);
  return opened.value;
}

async function decisions() {
  const events = await node.tenantEvents();
  return events.filter(({ action }) => action === 'lease.decided');
}

describe('a lease', () => {
  it('is renewed well before its end: the next check-in is due after a third of it at the latest', async () => {
    expect((await checkIn(OFFICE)).body.nextCheckInSeconds).toBe(300);
    await setPolicy();
    expect((await checkIn(OFFICE)).body.nextCheckInSeconds).toBe(12);
  });

  it('is as long as the profile of the rule that matches the address says', async () => {
    await setPolicy();
    expect(await leaseOf(await checkIn(OFFICE))).toMatchObject({
      origin: device.origin,
      blockAfterSeconds: 36,
      wipeAfterSeconds: 172_800,
    });
    expect(await leaseOf(await checkIn(HOME))).toBeNull();
    expect(await leaseOf(await checkIn('198.51.100.1'))).toMatchObject({ blockAfterSeconds: 259_200 });
    expect(await leaseOf(await checkIn('2001:db8::1'))).toBeNull();
  });

  it('is refused where no event is: what a device recorded is taken from any address', async () => {
    await setPolicy();
    device.record(3);
    const body = await device.append(0, 3, {});
    const answer = await node.post(device.path, body, 'text/plain', { 'x-forwarded-for': '2001:db8::1' });
    expect(answer.status).toBe(200);
    expect(answer.body.lease).toBeUndefined();
    expect(answer.body.receipt).toBeDefined();
  });

  it('is granted to nobody who was revoked while the log kept their append waiting', async () => {
    const gate = new GatedLog();
    const slow = await harness.node({ log: gate.wrap });
    await slow.ingest.ready();
    device.record(1);
    gate.hold();
    const { appends } = gate;
    const answer = slow.send(device, 0, 1, {});
    await eventually(() => gate.appends > appends);
    await node.admin('POST', `/tenants/${TENANT}/devices/${device.device}/revoke`, { reason: 'left' });
    gate.release();
    const { status, body } = await answer;
    expect([status, body.lease]).toEqual([200, undefined]);
    expect(body).toMatchObject({ deviceStatus: 'revoked' });
    const stored = await node.registry.db.selectFrom('leases').select('blocks_at').execute();
    expect(stored).toEqual([]);
  });

  it('that is being stored while its device is revoked is neither kept nor sent', async () => {
    const racing = await harness.node({
      registry: (registry) => ({
        ...registry,
        transaction: async (work) => {
          // Between the look at the status and the transaction that stores the grant.
          const left = { status: 'revoked', revoked_at: harness.now } as const;
          await registry.db.updateTable('devices').set(left).where('device', '=', device.device).execute();
          return registry.transaction(work);
        },
      }),
    });
    await racing.ingest.ready();
    const { body } = await racing.send(device, 0, 0, {});
    expect(body).toMatchObject({ deviceStatus: 'revoked' });
    expect(body.lease).toBeUndefined();
    const stored = await node.registry.db.selectFrom('leases').select('blocks_at').execute();
    expect(stored).toEqual([]);
  });

  it('names the nonce of its request: a check-in that is replayed gets a lease for nobody else’s nonce', async () => {
    const body = await device.append(0, 0, { nonce: 'n-1' });
    const [first, second] = [await node.post(device.path, body), await node.post(device.path, body)];
    expect(await leaseOf(first)).toMatchObject({ nonce: 'n-1' });
    expect(second.body.lease).toBe(first.body.lease);
  });

  it('is granted by no other node under an older policy: a change holds everywhere at once', async () => {
    const other = await harness.node();
    expect(await leaseOf(await checkIn(HOME, {}, other))).not.toBeNull();
    await setPolicy();
    expect(await leaseOf(await checkIn(HOME, {}, other))).toBeNull();
  });

  it('that is decided otherwise than before is an event with the rule; one like the last is none', async () => {
    await setPolicy();
    for (const address of [OFFICE, OFFICE, HOME, HOME, OFFICE, '198.51.100.1']) await checkIn(address);
    expect((await decisions()).map(({ outcome, data }) => [outcome, data])).toEqual([
      ['failure', { address: HOME, rule: { number: 2, action: 'allow_without_cache' } }],
      [
        'success',
        {
          address: OFFICE,
          rule: { number: 1, action: 'allow' },
          profile: 'office',
          blockAfterSeconds: 36,
          wipeAfterSeconds: 172_800,
        },
      ],
      ['success', expect.objectContaining({ rule: { number: 3, action: 'report' } })],
    ]);
  });

  it('that is refused at first is told as well', async () => {
    await setPolicy();
    await checkIn(HOME);
    expect(await decisions()).toHaveLength(1);
  });

  it('that goes back and forth tells of it at a bounded rate', async () => {
    await setPolicy();
    for (let i = 0; i < 40; i++) await checkIn(i % 2 === 0 ? HOME : OFFICE);
    expect((await decisions()).length).toBeLessThanOrEqual(10);
  });
});
