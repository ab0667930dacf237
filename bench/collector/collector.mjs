import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { COLLECTOR, ensureCollector } from '../../scripts/collector.mjs';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../../test/support/free-port.ts';

const CONFIG = fileURLToPath(new URL('collector.yaml', import.meta.url));
const START_MS_MAX = 30_000;

/**
 * Starts the Collector, built where it is not there yet, with its roads into the topic.
 *
 * @param {{ brokers: string, topic: string, linger: string }} kafka
 */
export async function startCollector({ brokers, topic, linger }) {
  await ensureCollector();
  const ports = { otlp: await freePort(), webhook: await freePort() };
  const child = spawn(COLLECTOR, ['--config', CONFIG], {
    env: {
      PATH: process.env.PATH,
      KAFKA_BROKERS: brokers,
      KAFKA_TOPIC: topic,
      LINGER: linger,
      OTLP_PORT: String(ports.otlp),
      WEBHOOK_PORT: String(ports.webhook),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  await eventually(
    'the Collector answers',
    async () => {
      if (child.exitCode !== null) throw new Error(`the Collector ended with ${child.exitCode}`);
      const answer = await fetch(`http://127.0.0.1:${ports.webhook}/health_check`).catch(() => null);
      return answer?.ok ? true : null;
    },
    START_MS_MAX,
  );
  return {
    ports,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
