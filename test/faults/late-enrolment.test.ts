import 'fake-indexeddb/auto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { defineEvents, openAuditBuffer } from '@tachograph/client-buffer';
import { z } from 'zod';
import { createEnrolmentToken } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { readFeed, type FeedLine } from '../support/feed.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PER_DAY = 300;
/** How far the device's wall clock is off on each day of the week: right, ahead, years ahead, behind, before 2000. */
const OFFSETS_MS = [0, 3 * HOUR_MS, 2 * 365 * DAY_MS, 0, -40 * DAY_MS, -30 * 365 * DAY_MS, 90 * 60_000];
/** Room for the true time that passes between reading two clocks in this test. */
const SLACK_MS = 5_000;

type Timed = FeedLine & {
  readonly time: string;
  readonly recordedtime: string;
  readonly latest: string;
  readonly earliest?: string;
  readonly estimate: string;
  readonly lateness: string;
};

/** The clocks of the device. The server's own run in another process and are right. */
const device = { agoMs: 0, offsetMs: 0, bootedAtMs: 0 };
const trueNow = Date.now.bind(Date);
const recordedNow = (): number => trueNow() - device.agoMs;

function open(endpoint: string) {
  return openAuditBuffer({
    endpoint,
    authority: 'localhost',
    tenant: 'demo',
    events: defineEvents({ 'item.reveal': z.object({ n: z.number() }) }),
  });
}

describe('a device that recorded offline for a week while its clock was moved, and enrols only then', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;

  beforeAll(async () => {
    dir = await tempDir();
    server = await serve({ dataDir: dir.path });
    jest.spyOn(Date, 'now').mockImplementation(() => recordedNow() + device.offsetMs);
    jest.spyOn(performance, 'now').mockImplementation(() => recordedNow() - device.bootedAtMs);
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await server?.stop();
    await dir?.remove();
  });

  /** Starts the device anew on day `day`: its monotonic clock begins at zero. */
  function boot(day: number): void {
    device.agoMs = (OFFSETS_MS.length - 1 - day) * DAY_MS;
    device.offsetMs = OFFSETS_MS[day]!;
    device.bootedAtMs = recordedNow();
  }

  it('uploads everything, in order, with times that are true within their bounds (INV-08, INV-13)', async () => {
    const recordedAt = new Map<string, number>();
    const recordDay = async (audit: ReturnType<typeof open>) => {
      const entries = Array.from({ length: PER_DAY }, (_, n) => {
        const entry = audit.record('item.reveal', { actor: { id: 'u_7' }, data: { n } });
        recordedAt.set(entry.id, recordedNow());
        return entry;
      });
      await entries.at(-1)!.durable;
    };
    let audit = open(server.url);
    for (const day of OFFSETS_MS.keys()) {
      await audit.close();
      boot(day);
      audit = open(server.url);
      await recordDay(audit);
    }
    const { origin } = audit.status();
    await audit.enrol({ type: 'token', token: await createEnrolmentToken(server, 'demo') });
    await audit.flush();
    // From here on there are receipts, which bound what follows from below.
    await recordDay(audit);
    await audit.flush();
    expect(audit.status()).toMatchObject({ origin, ledger: { pending: 0, lost: 0, gap: 0, rejected: 0 } });
    await audit.close();

    const feed = await eventually('the whole week', async () => {
      const own = (await readFeed(server.dataDir)).filter(({ source }) => source === origin);
      return own.length >= recordedAt.size ? (own as Timed[]) : null;
    });
    expect(feed.map(({ sequence }) => Number(sequence))).toEqual(feed.map((_, i) => i));
    expect(feed.map(({ data }) => data?.id)).toEqual([...recordedAt.keys()]);
    for (const line of feed) expectHonestTimes(line, recordedAt.get(line.data!.id)!);
    expectEstimates(feed, recordedAt);
  }, 60_000);
});

/** Earliest ≤ what it was ≤ latest, and what is said to be the time lies between them, too. */
function expectHonestTimes(line: Timed, trueMs: number): void {
  const [time, latest, received] = [line.time, line.latest, line.recordedtime].map(Date.parse) as [
    number,
    number,
    number,
  ];
  const earliest = line.earliest === undefined ? -Infinity : Date.parse(line.earliest);
  expect(time).toBeGreaterThanOrEqual(earliest);
  expect(time).toBeLessThanOrEqual(latest);
  expect(latest).toBeLessThanOrEqual(received);
  expect(trueMs).toBeGreaterThanOrEqual(earliest);
  expect(trueMs - SLACK_MS).toBeLessThanOrEqual(latest);
  expect(Number(line.lateness)).toBe(received - time);
}

/** What was recorded since the device started last is known exactly; the rest only by a wall clock that was moved. */
function expectEstimates(feed: readonly Timed[], recordedAt: ReadonlyMap<string, number>): void {
  const week = PER_DAY * OFFSETS_MS.length;
  const lastDay = feed.slice(week - PER_DAY);
  expect(new Set(lastDay.map(({ estimate }) => estimate))).toEqual(new Set(['monotonic']));
  for (const line of lastDay) {
    const trueMs = recordedAt.get(line.data!.id)!;
    expect(Math.abs(Date.parse(line.time) - trueMs)).toBeLessThan(SLACK_MS);
    expect(Math.abs(Date.parse(line.latest) - trueMs)).toBeLessThan(SLACK_MS);
  }
  const before = feed.slice(0, week - PER_DAY);
  expect(new Set(before.map(({ estimate }) => estimate))).toEqual(new Set(['wall']));
  expect(feed.slice(0, week).filter(({ earliest }) => earliest !== undefined)).toEqual([]);
  expect(feed.slice(week).filter(({ earliest }) => earliest === undefined)).toEqual([]);
}
