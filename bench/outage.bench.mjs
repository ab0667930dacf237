/**
 * The broker goes away under full load and comes back: how much the memory of ingest grows meanwhile, when the first
 * sender is told to come later, how quickly, and when the rate is what it was. Before that, the wait for an append at
 * half the full rate.
 *
 * `--seconds=120`: how long the broker is away. `--how=kill` (SIGKILL and a new start) or `pause` (SIGSTOP, SIGCONT).
 */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { useSha256 } from '@tachograph/wire';
import { startKafka } from '../test/support/kafka.ts';
import { residentBytes } from '../test/support/memory.ts';
import { enrolDevice } from './support/device.mjs';
import { startIngest } from './support/ingest.mjs';
import { OutageLoad } from './support/outage-load.mjs';
import { table } from './support/table.mjs';

const SECONDS = Number(option('seconds') ?? 120);
const HOW = option('how') ?? 'kill';
const PARTITIONS = 4;
const TENANT = 'acme';
/** Each sends its next append as soon as the one before is answered. */
const BUSY_DEVICES = 32;
const BUSY_EVENTS = 50;
/** One of them sends one event each 10 ms, whatever becomes of the others: whoever comes while the broker is away. */
const NEW_DEVICES = 64;
const WARM_UP_MS = 12_000;
const MEASURED_MS = 8_000;
const AFTER_MS = 15_000;
const MIB = 1024 * 1024;
/** The rate is what it was when a whole second has this part of it. */
const FULL = 0.9;

useSha256((message) => hash('sha256', message, 'buffer'));
const folder = await mkdtemp(join(tmpdir(), 'tachograph-bench-'));
const ends = [() => rm(folder, { recursive: true, force: true })];
try {
  const broker = await startKafka({ folder: join(folder, 'kafka') });
  ends.push(broker.stop);
  const server = await startIngest({
    brokers: broker.address,
    topic: 'audit.events',
    partitions: PARTITIONS,
    tenant: TENANT,
    devices: BUSY_DEVICES + NEW_DEVICES,
  });
  ends.push(() => server.stop());
  const devices = [];
  while (devices.length < BUSY_DEVICES + NEW_DEVICES)
    devices.push(await enrolDevice(server.url, 'localhost', TENANT, server.token));
  const load = new OutageLoad(devices.slice(0, BUSY_DEVICES), devices.slice(BUSY_DEVICES), BUSY_EVENTS);
  ends.push(() => load.stop());
  await outage(load, broker, server);
} finally {
  for (const end of ends.reverse()) await end();
}

async function outage(load, broker, server) {
  const memory = watchMemory(server.pid);
  const first = load.full();
  await delay(WARM_UP_MS);
  const measuredFrom = performance.now();
  await delay(MEASURED_MS);
  const measuredTo = performance.now();
  await first.end();
  const rate = load.eventsBetween(measuredFrom, measuredTo) / ((measuredTo - measuredFrom) / 1000);
  const waits = await load.paced(rate / BUSY_EVENTS / 2, MEASURED_MS);

  const second = load.full();
  await delay(MEASURED_MS);
  const goneAt = performance.now();
  const before = load.eventsBetween(goneAt - MEASURED_MS / 2, goneAt) / (MEASURED_MS / 2000);
  if (HOW === 'pause') broker.pause();
  else await broker.kill();
  await delay(SECONDS * 1000);
  const startedAt = performance.now();
  if (HOW === 'pause') broker.resume();
  else await broker.start();
  const backAt = performance.now();
  await delay(AFTER_MS);
  await second.end();
  memory.end();

  const refusals = load.answers.filter(({ at, status }) => status !== 200 && at > goneAt && at < startedAt);
  const refused503 = refusals.filter(({ status }) => status === 503);
  const quick = percentile(
    refused503.map(({ ms }) => ms),
    0.5,
  );
  const rssBefore = memory.peak(goneAt - 5_000, goneAt);
  const rssPeak = memory.peak(goneAt, backAt);
  table(
    `The broker away for ${SECONDS} s (${HOW}) under full load: ${BUSY_DEVICES} devices with ${BUSY_EVENTS} events an append, ` +
      `and one event each 10 ms from ${NEW_DEVICES} others`,
    ['', 'measured', 'aim'],
    [
      ['events/s before', before, ''],
      [
        `p99 of an append at half load (${Math.round(rate / 2).toLocaleString('en-US')} events/s), ms`,
        percentile(waits, 0.99).toFixed(1),
        '25',
      ],
      ['p50 of the same, ms', percentile(waits, 0.5).toFixed(1), ''],
      ['RSS before, MiB', rssBefore / MIB, ''],
      ['its growth while the broker is away, MiB', ((rssPeak - rssBefore) / MIB).toFixed(1), '64'],
      [
        'first 503 after the broker went, ms',
        refused503[0] === undefined ? 'none' : (refused503[0].at - goneAt).toFixed(0),
        '100',
      ],
      ['503s while it was away', refused503.length, ''],
      ['p50 of the time to a 503, ms', quick.toFixed(1), ''],
      ['other refusals', countByStatus(refusals.filter(({ status }) => status !== 503)), ''],
      [`back to ${FULL * 100} % of the rate after, s`, secondsToFull(load, backAt, before), '5'],
    ],
  );
  console.log(`\nThousands of events/s, second by second after the return: ${eachSecond(load, backAt)}`);
}

/** Events settled in each second after the broker's return. */
function eachSecond(load, backAt) {
  const seconds = Array.from({ length: AFTER_MS / 1000 }, (_, i) =>
    load.eventsBetween(backAt + i * 1000, backAt + (i + 1) * 1000),
  );
  return seconds.map((events) => (events / 1000).toFixed(1)).join(' ');
}

function secondsToFull(load, backAt, before) {
  for (let ms = 0; ms <= AFTER_MS - 1000; ms += 100) {
    if (load.eventsBetween(backAt + ms, backAt + ms + 1000) >= FULL * before) return (ms / 1000).toFixed(1);
  }
  return `not within ${AFTER_MS / 1000}`;
}

function watchMemory(pid) {
  const samples = [];
  const timer = setInterval(() => {
    residentBytes(pid).then(
      ({ now }) => samples.push({ at: performance.now(), bytes: now }),
      () => clearInterval(timer),
    );
  }, 200);
  return {
    peak: (from, to) =>
      Math.max(...samples.filter(({ at }) => at >= from && at <= to).map(({ bytes }) => bytes)),
    end: () => clearInterval(timer),
  };
}

function percentile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function countByStatus(answers) {
  const counts = new Map();
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} × ${status}`).join(', ') || 'none';
}

function option(name) {
  const found = process.argv.find((argument) => argument.startsWith(`--${name}=`));
  return found?.slice(name.length + 3);
}
