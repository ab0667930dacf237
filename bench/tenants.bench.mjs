/**
 * A provider: 1,000 tenants with two routes each, one to a file and one over HTTP, and what the exporter takes for it.
 * The destination runs in this process, the exporter in one of its own.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fillLog } from './support/filled-log.mjs';
import { table } from './support/table.mjs';

const CHILD = fileURLToPath(new URL('support/export-tenants.mjs', import.meta.url));
const TENANTS = 1_000;
const EVENTS = 100_000;
const RUN_MS_MAX = 300_000;

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'tachograph-bench-'));
let received = 0;
const server = createServer((request, response) => {
  request.on('data', (part) => {
    for (const byte of part) if (byte === 0x0a) received++;
  });
  request.on('end', () => {
    // The last event of a request has no line feed.
    received++;
    response.writeHead(200).end('{"text":"Success","code":0}');
  });
});
try {
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const log = join(folder, 'log.sqlite');
  await fillLog(log, { events: EVENTS, eventsEach: 10, devices: TENANTS, tenants: TENANTS });
  const args = [
    CHILD,
    log,
    join(folder, 'export'),
    String(server.address().port),
    String(TENANTS),
    String(EVENTS),
  ];
  const { stdout } = await run(process.execPath, args, { timeout: RUN_MS_MAX });
  const { seconds, cpuSeconds, rssMiB, idleRssMiB } = JSON.parse(stdout);
  if (received !== EVENTS) throw new Error(`${received} of ${EVENTS} events came by HTTP`);
  table(
    `Export of ${TENANTS} tenants with two routes each: ${EVENTS} events along both`,
    ['', 'events/s and route', 'CPU s / 100,000', 'peak RSS MiB', 'RSS before any event'],
    [['2,000 routes', EVENTS / seconds, ((cpuSeconds / EVENTS) * 100_000).toFixed(1), rssMiB, idleRssMiB]],
  );
} finally {
  server.close();
  await rm(folder, { recursive: true, force: true });
}
