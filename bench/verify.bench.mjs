/** `verify` over an exported file: every leaf hashed, every tree rebuilt, one signature a log. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fillLog } from './support/filled-log.mjs';
import { median, table } from './support/table.mjs';

const EXPORT = fileURLToPath(new URL('support/export-all.mjs', import.meta.url));
const VERIFY = fileURLToPath(new URL('support/verify-file.mjs', import.meta.url));
const ROUNDS = 3;
const EVENTS = 200_000;
const RUN_MS_MAX = 120_000;

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'tachograph-bench-'));
try {
  const rows = [];
  for (const eventsEach of [500, 50]) {
    const [log, exportDir] = [join(folder, `${eventsEach}.sqlite`), join(folder, `export-${eventsEach}`)];
    await fillLog(log, { events: EVENTS, eventsEach, devices: 32 });
    const options = { timeout: RUN_MS_MAX };
    await run(process.execPath, [EXPORT, log, exportDir, String(EVENTS)], options);
    const rounds = [];
    for (let i = 0; i < ROUNDS; i++) {
      const args = [VERIFY, join(exportDir, 'events.ndjson'), String(EVENTS)];
      rounds.push(JSON.parse((await run(process.execPath, args, options)).stdout));
    }
    rows.push([
      `${eventsEach} an append`,
      median(rounds.map(({ seconds }) => EVENTS / seconds)),
      median(rounds.map(({ cpuSeconds }) => (cpuSeconds / EVENTS) * 100_000)).toFixed(2),
      Math.max(...rounds.map(({ rssMiB }) => rssMiB)),
    ]);
  }
  table(
    `Verifying a file of cloudevents: 32 devices, median of ${ROUNDS} rounds`,
    ['', 'events/s', 'CPU s / 100,000', 'peak RSS MiB'],
    rows,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
