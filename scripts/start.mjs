/**
 * `npm start [-- --kafka]`: everything in one process. With `--kafka` the ordered log is a local Apache Kafka, which
 * is brought and started as the tests do; what both keep stands in `data/with-kafka` unless DATA_DIR says otherwise.
 */
import { register } from 'node:module';
import { join, resolve } from 'node:path';
import { fail, progress, ROOT, runNode } from './run.mjs';
import { ensureTestTools } from './test-tools.mjs';

const MAIN = join(ROOT, 'packages/tachograph/dist/main.js');
const TOPIC = 'audit.events';

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
  progress('Starting a local Kafka …');
  const folder = join(resolve(process.env.DATA_DIR), 'kafka');
  // It ends with this process, however that ends.
  const { address } = await startKafka({ folder });
  process.env.KAFKA_BROKERS = address;
  process.env.KAFKA_TOPIC ||= TOPIC;
  // One broker on one machine: what is acknowledged is on one disk, as with the embedded log.
  process.env.KAFKA_ALLOW_UNSAFE = 'on';
  const single = ['--partitions', '4', '--replicas', '1', '--min-in-sync', '1', '--retention', 'forever'];
  const { code, output } = await runNode(MAIN, ['topics', 'create', ...single], { quiet: true });
  if (code !== 0) fail(`The topic could not be made:\n${output.trim()}`);
  progress(`Kafka at ${address}, topic ${process.env.KAFKA_TOPIC}, its log in ${join(folder, 'broker.log')}`);
}
