import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, progress, ROOT, run } from '../../scripts/run.mjs';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../../test/support/free-port.ts';

const VERSION = 'v0.145.0';
const FOLDER = join(ROOT, '.cache/collector');
const BINARY = join(FOLDER, 'otelcol');
const STAMP = join(FOLDER, 'built-from.yaml');
const MANIFEST = 'bench/collector/builder.yaml';
const CONFIG = fileURLToPath(new URL('collector.yaml', import.meta.url));
const START_MS_MAX = 30_000;

/** Builds the OpenTelemetry Collector from its manifest, unless that is what `.cache/collector` holds. */
async function ensureCollector() {
  const manifest = readFileSync(join(ROOT, MANIFEST), 'utf8');
  if (existsSync(BINARY) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === manifest) return;
  progress('Building the OpenTelemetry Collector; it takes some minutes …');
  const args = ['run', `go.opentelemetry.io/collector/cmd/builder@${VERSION}`, '--config', MANIFEST];
  // The checksum database may be out of reach. What is built here only serves to be measured.
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOSUMDB: process.env.GOSUMDB ?? 'off' };
  const { code, output } = await run('go', args, { env, quiet: true });
  if (code === 127) fail('Go 1.24 or later is missing: apt-get install golang-go');
  if (code !== 0) fail(`The Collector could not be built:\n\n  go ${args.join(' ')}\n\n${output.trim()}`);
  writeFileSync(STAMP, manifest);
}

/**
 * Starts the Collector, built where it is not there yet, with its roads into the topic.
 *
 * @param {{ brokers: string, topic: string, linger: string }} kafka
 */
export async function startCollector({ brokers, topic, linger }) {
  await ensureCollector();
  const ports = { otlp: await freePort(), webhook: await freePort() };
  const child = spawn(BINARY, ['--config', CONFIG], {
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
