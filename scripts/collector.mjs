import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, progress, ROOT, run } from './run.mjs';

const VERSION = 'v0.145.0';
const FOLDER = join(ROOT, '.cache/collector');
const STAMP = join(FOLDER, 'built-from.yaml');
const MANIFEST = 'test/collector/builder.yaml';

/** The OpenTelemetry Collector, once it is built. */
export const COLLECTOR = join(FOLDER, 'otelcol');

/** Builds the OpenTelemetry Collector from its manifest, unless that is what `.cache/collector` holds. */
export async function ensureCollector() {
  const manifest = readFileSync(join(ROOT, MANIFEST), 'utf8');
  if (existsSync(COLLECTOR) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === manifest) return;
  progress('Building the OpenTelemetry Collector; it takes some minutes …');
  const args = ['run', `go.opentelemetry.io/collector/cmd/builder@${VERSION}`, '--config', MANIFEST];
  // The checksum database may be out of reach. What is built here only serves to be tested against and measured.
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOSUMDB: process.env.GOSUMDB ?? 'off' };
  const { code, output } = await run('go', args, { env, quiet: true });
  if (code === 127) fail('Go 1.24 or later is missing: apt-get install golang-go');
  if (code !== 0) fail(`The Collector could not be built:\n\n  go ${args.join(' ')}\n\n${output.trim()}`);
  writeFileSync(STAMP, manifest);
}
