/** Exports a log along two routes for each tenant: `export-tenants.mjs <log> <folder> <port> <tenants> <events>`. */
import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openEmbeddedLog } from '@tachograph/event-log';
import { startExporter } from '@tachograph/siem-export';
import { useSha256 } from '@tachograph/wire';

const [file, exportDir, port, tenants, events] = process.argv.slice(2);
useSha256((message) => hash('sha256', message, 'buffer'));
process.env.BENCH_TOKEN = 'bench';
const fail = (fields, name) => {
  console.error(name, fields);
  process.exit(1);
};
const routes = Array.from({ length: Number(tenants) }, (_, i) => [
  {
    name: `file-${i}`,
    tenants: [`tenant-${i}`],
    format: 'cloudevents',
    sink: { type: 'file', stem: `tenant-${i}` },
  },
  {
    name: `hec-${i}`,
    tenants: [`tenant-${i}`],
    format: 'cloudevents',
    // Uncompressed, so that the destination can count lines.
    sink: { type: 'splunk-hec', url: `http://127.0.0.1:${port}`, token: { env: 'BENCH_TOKEN' }, gzip: false },
  },
]).flat();
const log = await openEmbeddedLog({ file });
const before = process.cpuUsage();
const start = performance.now();
const idleRssMiB = process.memoryUsage().rss / 1024 / 1024;
const exporter = startExporter({
  log,
  routes,
  exportDir,
  cosignerKeys: async () => [],
  logger: { info: () => undefined, warn: fail, error: fail },
});
const delivered = () => exporter.status().routes.reduce((sum, { counts }) => sum + counts.delivered, 0);
while (delivered() < Number(events) * 2) await delay(100);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(before);
await exporter.close();
await log.close();
const rssMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, rssMiB, idleRssMiB }));
