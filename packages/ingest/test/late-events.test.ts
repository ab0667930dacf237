import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER, type StoredRecord } from '@tachograph/event-log';
import { Harness, TENANT, type Node } from './harness.ts';
import type { TestDevice } from './test-device.ts';

const AT = (time: string): number => Date.parse(`2026-11-23T${time}:00.000Z`);
const EVENTS = 10_000;
const [FROM, TO, REVOKED, ONLINE] = [AT('09:00'), AT('11:30'), AT('11:00'), AT('12:00')];

let harness: Harness;
let node: Node;
beforeEach(async () => {
  harness = await Harness.create();
  harness.now = AT('08:59');
  node = await harness.node();
});
afterEach(() => harness.close());

/** When event `i` of the day was truly recorded. */
function trueTime(i: number, events = EVENTS): number {
  return FROM + Math.floor((i * (TO - FROM)) / events);
}

/** The device's monotonic clock, whose page was opened at 08:00. */
function monotonic(at: number): number {
  return at - AT('08:00');
}

/** Records the day of a device whose last receipt is of 08:59; its wall clock may be wrong by `skewMs`. */
function recordDay(device: TestDevice, events: number, seenSeconds: number, skewMs: number): void {
  for (let i = 0; i < events; i++) {
    const at = trueTime(i, events);
    device.record(1, {
      time: new Date(at + skewMs).toISOString(),
      clock: { boot: 'boot-1', ms: monotonic(at) },
      seen: { size: 1, time: seenSeconds },
      data: { i },
    });
  }
}

/** Uploads as a client does, at the pace that it is told. Answers how often it was told to wait, and how long. */
async function upload(device: TestDevice, boot: string, skewMs: number) {
  let [old, waits, waitedSeconds] = [1, 0, 0];
  while (old < device.leaves.length) {
    const size = Math.min(old + 1_000, device.leaves.length);
    const wallClock = harness.now + skewMs;
    const request = { boot, monotonicMs: monotonic(harness.now), wallClock };
    const answer = await node.send(device, old, size, request);
    if (answer.status === 200) {
      expect(answer.body.lease).toBeUndefined();
      expect(answer.body.directives).toHaveLength(1);
      old = size;
      continue;
    }
    expect(answer).toMatchObject({ status: 429, body: { code: 'ERR_RATE' } });
    waits++;
    waitedSeconds += Number(answer.retryAfter);
    harness.now += Number(answer.retryAfter) * 1000;
  }
  return { waits, waitedSeconds };
}

/** A device with a receipt of 08:59 that records the day, is revoked at 11:00 and comes online at 12:00. */
async function offlineDay({ events = EVENTS, skewMs = 0, bootAtUpload = 'boot-1' } = {}) {
  const device = await harness.enrolled(node, { subject: 'ana' });
  device.record(1, { clock: { boot: 'boot-1', ms: monotonic(harness.now) } });
  const { receipt } = (await node.send(device, 0)).body;
  recordDay(device, events, (await harness.receiptTime(device, 1, receipt!))!, skewMs);
  harness.now = REVOKED;
  await node.admin('POST', `/tenants/${TENANT}/subjects/ana/revoke`, { reason: 'left', purge: ['*'] });
  harness.now = ONLINE;
  const pace = await upload(device, bootAtUpload, skewMs);
  const records = (await node.delivered(device.origin)).slice(1);
  return { pace, records };
}

function boundsOf({ headers }: StoredRecord) {
  return {
    earliest: Date.parse(headers[HEADER.earliest]!),
    latest: Date.parse(headers[HEADER.latest]!),
    mark: headers[HEADER.revocation],
  };
}

function marksOf(records: readonly StoredRecord[]): { [mark: string]: number } {
  const marks: { [mark: string]: number } = {};
  for (const record of records) {
    const { mark = 'none' } = boundsOf(record);
    marks[mark] = (marks[mark] ?? 0) + 1;
  }
  return marks;
}

/** How many of the events of a day were recorded before the revocation. */
function before(events: number): number {
  return Math.ceil((events * (REVOKED - FROM)) / (TO - FROM));
}

describe('the events from 09:00 to 11:30 of a device that was revoked at 11:00 and came online at 12:00', () => {
  it('are all taken, 10,000 of them, slowly, in order, within their true bounds, and marked by them', async () => {
    const { pace, records } = await offlineDay();
    expect(
      records.map(
        ({ value }) => (JSON.parse(Buffer.from(value).toString()) as { data: { i: number } }).data.i,
      ),
    ).toEqual(Array.from({ length: EVENTS }, (_, i) => i));
    expect(pace.waits).toBeGreaterThan(0);
    // 2,000 at once, then 200 a second.
    expect(pace.waitedSeconds).toBeGreaterThanOrEqual((EVENTS - 2_000) / 200);
    expect(pace.waitedSeconds).toBeLessThan(2 * ((EVENTS - 2_000) / 200));
    const wrong = records.filter((record, i) => {
      const { earliest, latest } = boundsOf(record);
      return (
        earliest > trueTime(i) || latest < trueTime(i) || record.headers[HEADER.deviceStatus] !== 'revoked'
      );
    });
    expect(wrong).toEqual([]);
    // Nothing bounds the last half hour from below but the receipt of 08:59: only the device says that it was after.
    expect(marksOf(records)).toEqual({ before: before(EVENTS), straddles: EVENTS - before(EVENTS) });
    expect(marksOf(records.slice(0, before(EVENTS)))).toEqual({ before: before(EVENTS) });
  });

  it('are bounded no worse where the wall clock is three hours slow', async () => {
    const { records } = await offlineDay({ events: 1_000, skewMs: -3 * 3_600_000 });
    expect(marksOf(records)).toEqual({ before: before(1_000), straddles: 1_000 - before(1_000) });
    const off = records.map((record, i) =>
      Math.abs(Date.parse(record.headers[HEADER.time]!) - trueTime(i, 1_000)),
    );
    expect(Math.max(...off)).toBeLessThanOrEqual(2);
  });

  it('all straddle where the page was closed since: nothing ties their clock to ours', async () => {
    const { records } = await offlineDay({ events: 1_000, bootAtUpload: 'boot-2' });
    expect(marksOf(records)).toEqual({ straddles: 1_000 });
    expect(records.every((record, i) => boundsOf(record).latest >= trueTime(i, 1_000))).toBe(true);
  });
});

describe('an event of a revoked device', () => {
  it('is marked after, where it has seen a receipt of after the revocation', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    harness.now = REVOKED;
    await node.admin('POST', `/tenants/${TENANT}/devices/${device.device}/revoke`, { reason: 'left' });
    harness.now = AT('11:10');
    device.record(1);
    const { receipt } = (await node.send(device, 0)).body;
    const time = (await harness.receiptTime(device, 1, receipt!))!;
    harness.now = ONLINE;
    device.record(1, { seen: { size: 1, time } });
    device.record(1, { seen: { size: 1, time: time - 3_600 } });
    await node.send(device, 1);
    const marks = (await node.delivered(device.origin)).slice(1).map((record) => boundsOf(record).mark);
    // The second names a receipt that was never issued: it bounds nothing.
    expect(marks).toEqual(['after', 'straddles']);
  });

  it('is taken at the common pace until its device is revoked', async () => {
    const device = await harness.enrolled(node);
    device.record(3_000);
    expect((await node.send(device, 0, 1_200)).status).toBe(200);
    expect((await node.send(device, 1_200, 2_400)).status).toBe(200);
    expect((await node.send(device, 2_400)).status).toBe(200);
  });

  it('that is slowed keeps no directive from its device: check-ins are not', async () => {
    const device = await harness.enrolled(node, { subject: 'ana' });
    device.record(3_000);
    const order = { reason: 'left', purge: ['*'] };
    await node.admin('POST', `/tenants/${TENANT}/subjects/ana/revoke`, order);
    expect((await node.send(device, 0, 1_200)).status).toBe(200);
    expect((await node.send(device, 1_200, 2_400)).status).toBe(429);
    const checkIn = await node.send(device, 1_200, 1_200, {});
    expect(checkIn).toMatchObject({ status: 200 });
    expect(checkIn.body.directives).toHaveLength(1);
  });
});
