/**
 * `npm start [-- --kafka]`: everything in one process. With `--kafka` the ordered log is a local Apache Kafka, which
 * is brought and started as the tests do; what both keep stands in `data/with-kafka` unless DATA_DIR says otherwise.
 */
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, progress, ROOT, runNode } from './run.mjs';
import { ensureTestTools } from './test-tools.mjs';

const MAIN = join(ROOT, 'packages/tachograph/dist/main.js');
const TOPIC = 'audit.events';
const EARLIER_END_MS_MAX = 20_000;

const args = process.argv.slice(2);
const rest = args.filter((arg) => arg !== '--kafka');
if (rest.length < args.length) await startLocalKafka();
// In this process, so that signals reach the server and not a parent of it.
process.argv = [process.execPath, MAIN, 'serve', ...rest];
await import(MAIN);

async function startLocalKafka() {
  if (process.env.KAFKA_BROKERS) fail('KAFKA_BROKERS names a Kafka already: start without --kafka.');
  await ensureTestTools('kafka');
  register('./typescript-hooks.mjs', import.meta.url);
  const { startKafka } = await import('../test/support/kafka.ts');
  process.env.DATA_DIR ||= 'data/with-kafka';
  const folder = join(resolve(process.env.DATA_DIR), 'kafka');
  await whenFree(folder);
  progress('Starting a local Kafka …');
  // It ends with this process, however that ends.
  const { address } = await startKafka({ folder }).catch((error) =>
    fail(`Kafka did not start: ${firstLine(error)}\n\nIts log is ${join(folder, 'broker.log')}`),
  );
  process.env.KAFKA_BROKERS = address;
  process.env.KAFKA_TOPIC ||= TOPIC;
  // One broker on one machine: what is acknowledged is on one disk, as with the embedded log.
  process.env.KAFKA_ALLOW_UNSAFE = 'on';
  const single = ['--partitions', '4', '--replicas', '1', '--min-in-sync', '1', '--retention', 'forever'];
  const { code, output } = await runNode(MAIN, ['topics', 'create', ...single], { quiet: true });
  if (code !== 0) fail(`The topic could not be made:\n${output.trim()}`);
  progress(`Kafka at ${address}, topic ${process.env.KAFKA_TOPIC}, its log in ${join(folder, 'broker.log')}`);
}

/**
 * Waits for the end of a broker that still works on `folder`, as after a Ctrl-C just now. A second one must not even
 * be tried: both would write the same log of metadata, and the first one dies of it.
 */
async function whenFree(folder) {
  const deadline = Date.now() + EARLIER_END_MS_MAX;
  for (let isFirst = true; isBrokerAlive(folder); isFirst = false) {
    if (isFirst) progress('Another Kafka works on this folder: waiting for its end …');
    if (Date.now() > deadline) {
      fail(`A Kafka is running in ${folder}. Stop its server, or name another folder with DATA_DIR.`);
    }
    await delay(200);
  }
}

function isBrokerAlive(folder) {
  const file = join(folder, 'broker.pid');
  if (!existsSync(file)) return false;
  const pid = Number(readFileSync(file, 'utf8'));
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  // The number may be another process's by now; where the system tells, its command says so.
  const command = `/proc/${pid}/cmdline`;
  return !existsSync(command) || readFileSync(command, 'utf8').includes(folder);
}

function firstLine(error) {
  return String(error instanceof Error ? error.message : error).split('\n')[0];
}
