/**
 * From the embedded log to a fsynced file, one route in the default format: read, put back together, check every
 * tree, format, write, commit. Each run is a process of its own, on a log that was filled beforehand.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fillLog } from './support/filled-log.mjs';
import { median, table } from './support/table.mjs';

const CHILD = fileURLToPath(new URL('support/export-all.mjs', import.meta.url));
const ROUNDS = 3;
const DEVICES = 32;
/** Longer than a run takes on a slow machine; one that hangs is ended. */
const RUN_MS_MAX = 120_000;
const SIZES = [
  { eventsEach: 500, events: 200_000 },
  { eventsEach: 50, events: 200_000 },
  { eventsEach: 1, events: 20_000 },
];

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'tachograph-bench-'));
try {
  const rows = [];
  for (const { eventsEach, events } of SIZES) {
    const log = join(folder, `${eventsEach}.sqlite`);
    await fillLog(log, { events, eventsEach, devices: DEVICES });
    const rounds = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await exportAll(log, events));
    rows.push([
      `${eventsEach} an append`,
      median(rounds.map(({ rate }) => rate)),
      Math.min(...rounds.map(({ rate }) => rate)),
      Math.max(...rounds.map(({ rate }) => rate)),
      median(rounds.map(({ cpuPer100k }) => cpuPer100k)).toFixed(2),
      Math.max(...rounds.map(({ rssMiB }) => rssMiB)),
      median(rounds.map(({ bytesEach }) => bytesEach)),
    ]);
  }
  table(
    `Export from the embedded log to a file: ${DEVICES} devices, median of ${ROUNDS} rounds`,
    ['', 'events/s', 'min', 'max', 'CPU s / 100,000', 'peak RSS MiB', 'bytes a line'],
    rows,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** One export of the whole log, by a copy that nobody has read: positions and verdicts stand in the same file. */
async function exportAll(filled, events) {
  const exportDir = join(folder, 'export');
  const log = join(folder, 'unread.sqlite');
  // What was written last may still stand in the write-ahead log.
  for (const end of ['', '-wal'])
    if (existsSync(`${filled}${end}`)) await copyFile(`${filled}${end}`, `${log}${end}`);
  const { stdout } = await run(process.execPath, [CHILD, log, exportDir, String(events)], {
    timeout: RUN_MS_MAX,
  });
  const { seconds, cpuSeconds, rssMiB } = JSON.parse(stdout);
  const { size } = await stat(join(exportDir, 'events.ndjson'));
  await rm(exportDir, { recursive: true });
  for (const end of ['', '-wal', '-shm']) await rm(`${log}${end}`, { force: true });
  return {
    rate: events / seconds,
    cpuPer100k: (cpuSeconds / events) * 100_000,
    rssMiB,
    bytesEach: size / events,
  };
}
