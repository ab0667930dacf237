/**
 * Appends over HTTP into the embedded log: every event signed for, checked and fsynced before it is answered.
 * The load comes from this process, prepared beforehand; the server runs in its own.
 */
import { enrolDevice, nextAppends } from './support/device.mjs';
import { startServer } from './support/server.mjs';
import { median, table } from './support/table.mjs';

const DEVICES = 32;
const ROUNDS = 3;
const SIZES = [
  { eventsEach: 1, appends: 60 },
  { eventsEach: 50, appends: 24 },
  { eventsEach: 500, appends: 4 },
];

const server = await startServer();
try {
  const token = await server.createToken('demo', DEVICES);
  const devices = [];
  for (let i = 0; i < DEVICES; i++) devices.push(await enrolDevice(server.url, 'localhost', 'demo', token));
  await run(devices, 1, 5); // Warm-up: not counted.
  const rows = [];
  for (const { eventsEach, appends } of SIZES) {
    const rounds = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await run(devices, eventsEach, appends));
    const waits = rounds.flatMap((round) => round.waits).sort((a, b) => a - b);
    rows.push([
      `${eventsEach} a request`,
      median(rounds.map((round) => round.rate)),
      Math.min(...rounds.map((round) => round.rate)),
      Math.max(...rounds.map((round) => round.rate)),
      median(rounds.map((round) => round.cpuPer100k)).toFixed(2),
      waits[Math.floor(waits.length * 0.5)].toFixed(1),
      waits[Math.floor(waits.length * 0.99)].toFixed(1),
    ]);
  }
  table(
    `Append on the embedded log: ${DEVICES} devices at once, median of ${ROUNDS} rounds`,
    ['', 'events/s', 'min', 'max', 'CPU s / 100,000', 'p50 ms', 'p99 ms'],
    rows,
  );
} finally {
  await server.stop();
}

async function run(devices, eventsEach, appends) {
  const prepared = [];
  for (const device of devices) prepared.push(await nextAppends(device, appends, eventsEach));
  const waits = [];
  const cpu = server.cpuSeconds();
  const start = performance.now();
  await Promise.all(devices.map((device, i) => sendAll(device, prepared[i], waits)));
  const seconds = (performance.now() - start) / 1000;
  const events = devices.length * appends * eventsEach;
  return { rate: events / seconds, cpuPer100k: ((server.cpuSeconds() - cpu) / events) * 100_000, waits };
}

async function sendAll(device, bodies, waits) {
  for (const body of bodies) {
    const sent = performance.now();
    const answer = await fetch(device.address, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body,
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`append: ${answer.status} ${text}`);
    waits.push(performance.now() - sent);
  }
}
