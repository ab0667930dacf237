/**
 * Events into a real Kafka broker, acknowledged by all in-sync replicas before the answer: our ingest, which checks
 * signature, tree, schema and order of every event, beside the OpenTelemetry Collector, which checks nothing. The
 * same broker, the same settings of the topic, the same load generator, rounds in turn. `--quick` for a first look.
 */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafkaTopic } from '@tachograph/event-log';
import { useSha256 } from '@tachograph/wire';
import { startKafka } from '../test/support/kafka.ts';
import { startCollector } from './collector/collector.mjs';
import { cpuSecondsOf } from './support/cpu.mjs';
import { enrolDevice, leaf, nextAppends } from './support/device.mjs';
import { load, LoadConnection, post } from './support/http-load.mjs';
import { startIngest } from './support/ingest.mjs';
import { otlpLogs } from './support/otlp.mjs';
import { median, table } from './support/table.mjs';

/**
 * What the Collector is compared in. With its own defaults it waits for company before it writes, so that few
 * connections leave the machine idle; pushed, it does not wait, and has as many as it needs to use all of it.
 */
const SETTINGS = [
  { name: "the Collector's default linger of 10 ms", connections: 16, linger: '10ms' },
  { name: 'no linger, the machine saturated', connections: 64, linger: '0ms' },
];
/** `requests`: how many are sent in a round, by all connections together. */
const SIZES = [
  { eventsEach: 1, requests: 3_200 },
  { eventsEach: 50, requests: 1_280 },
  { eventsEach: 100, requests: 832 },
  { eventsEach: 500, requests: 256 },
];
/** What `tachograph topics create` makes by default. */
const PARTITIONS = 12;
const TENANT = 'acme';
const DEVICES = Math.max(...SETTINGS.map(({ connections }) => connections));
const ROUNDS = process.argv.includes('--quick') ? 1 : 3;
const COLLECTOR_TOPIC = 'otlp_logs';

useSha256((message) => hash('sha256', message, 'buffer'));
const folder = await mkdtemp(join(tmpdir(), 'tachograph-bench-'));
const ends = [() => rm(folder, { recursive: true, force: true })];
try {
  const broker = await startKafka({ folder: join(folder, 'kafka') });
  ends.push(() => broker.stop());
  const brokers = broker.address;
  const layout = { partitions: PARTITIONS, replicas: 1, minInSync: 1, retentionMs: null };
  await createKafkaTopic({ ...layout, brokers: [brokers], topic: COLLECTOR_TOPIC });
  const ours = await tachograph(brokers);
  for (const setting of SETTINGS) await compare(setting, [ours, ...(await collector(brokers, setting))]);
} finally {
  for (const end of ends.reverse()) await end();
}

/** Our ingest, with a device of its own for each connection. */
async function tachograph(brokers) {
  const kafka = { brokers, topic: 'audit.events', partitions: PARTITIONS };
  const ingest = await startIngest({ ...kafka, tenant: TENANT, devices: DEVICES });
  ends.push(() => ingest.stop());
  const devices = [];
  for (let i = 0; i < DEVICES; i++)
    devices.push(await enrolDevice(ingest.url, 'localhost', TENANT, ingest.token));
  return {
    name: 'Tachograph',
    pid: ingest.pid,
    port: ingest.port,
    /** What a device sends follows from what it has sent, so each request is signed for its round, before it. */
    async prepare(connections, each, eventsEach) {
      const bodies = [];
      for (const device of devices.slice(0, connections)) {
        const { pathname } = new URL(device.address);
        const appends = await nextAppends(device, each, eventsEach);
        bodies.push(appends.map((body) => post(pathname, 'text/plain', body)));
      }
      return bodies;
    },
  };
}

async function collector(brokers, { linger }) {
  const started = await startCollector({ brokers, topic: COLLECTOR_TOPIC, linger });
  ends.push(() => started.stop());
  const { ports, pid } = started;
  const otlp = (events) => post('/v1/logs', 'application/x-protobuf', otlpLogs(events));
  const lines = (events) => post('/events', 'application/x-ndjson', joined(events));
  return [
    { name: 'Collector, OTLP', pid, port: ports.otlp, prepare: repeating(otlp) },
    { name: 'Collector, webhook', pid, port: ports.webhook, prepare: repeating(lines) },
  ];
}

/** The Collector remembers nothing, so few requests, made once, are sent again and again. */
function repeating(makeRequest) {
  const made = new Map();
  return async (connections, each, eventsEach) => {
    const some = made.get(eventsEach) ?? Array.from({ length: 8 }, () => makeRequest(leaves(eventsEach)));
    made.set(eventsEach, some);
    return Array.from({ length: connections }, (_, i) =>
      Array.from({ length: each }, (__, k) => some[(i + k) % some.length]),
    );
  };
}

function leaves(count) {
  return Array.from({ length: count }, leaf);
}

/** Without a last line feed: the receiver would take the nothing behind it for an event. */
function joined(lines) {
  return Buffer.from(lines.map((line) => Buffer.from(line).toString('utf8')).join('\n'));
}

async function compare(setting, candidates) {
  const results = new Map(candidates.map(({ name }) => [name, SIZES.map(() => [])]));
  // The first round warms up, and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, size] of SIZES.entries()) {
      for (const candidate of candidates) {
        const measured = await measure(candidate, setting, size);
        if (round > 0) results.get(candidate.name)[i].push(measured);
      }
    }
  }
  report(setting, candidates, results);
}

async function measure(candidate, { connections: count }, { eventsEach, requests }) {
  const each = requests / count;
  const prepared = await candidate.prepare(count, each, eventsEach);
  // Anew for each round: some servers end connections that are idle while the others have their turn.
  const connections = await Promise.all(prepared.map(() => LoadConnection.open(candidate.port)));
  const before = [cpuSecondsOf(candidate.pid), ownCpuSeconds()];
  const { seconds, waitsMs } = await load(connections, prepared);
  const after = [cpuSecondsOf(candidate.pid), ownCpuSeconds()];
  for (const connection of connections) connection.close();
  const events = count * each * eventsEach;
  const [cpu, generatorCpu] = after.map((now, i) => ((now - before[i]) / events) * 100_000);
  return { rate: events / seconds, cpu, generatorCpu, waitsMs };
}

function ownCpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function report({ name: setting, connections }, candidates, results) {
  const rows = SIZES.flatMap(({ eventsEach }, i) => {
    const ours = median(results.get(candidates[0].name)[i].map(({ rate }) => rate));
    return candidates.map(({ name }, k) => {
      const rounds = results.get(name)[i];
      const rates = rounds.map(({ rate }) => rate);
      const waits = rounds.flatMap(({ waitsMs }) => waitsMs).sort((a, b) => a - b);
      return [
        `${eventsEach} a request: ${name}`,
        median(rates),
        Math.min(...rates),
        Math.max(...rates),
        k === 0 ? '' : `${(ours / median(rates)).toFixed(2)} ×`,
        median(rounds.map(({ cpu }) => cpu)).toFixed(2),
        median(rounds.map(({ generatorCpu }) => generatorCpu)).toFixed(2),
        waits[Math.floor(waits.length * 0.5)].toFixed(1),
        waits[Math.floor(waits.length * 0.99)].toFixed(1),
      ];
    });
  });
  table(
    `Ingest into Kafka, acks=all: ${setting}, ${connections} connections, median of ${ROUNDS} rounds`,
    ['', 'events/s', 'min', 'max', 'ours is', 'CPU s / 100,000', 'generator', 'p50 ms', 'p99 ms'],
    rows,
  );
}
