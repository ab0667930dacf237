/** Exports all of a log in a process of its own: `export-all.mjs <log file> <export folder> <events>`. */
import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openEmbeddedLog } from '@tachograph/event-log';
import { DEFAULT_ROUTE, startExporter } from '@tachograph/siem-export';
import { useSha256 } from '@tachograph/wire';

const [file, exportDir, events] = process.argv.slice(2);
const fail = (fields, name) => {
  console.error(name, fields);
  process.exit(1);
};
// As the `tachograph` command does.
useSha256((message) => hash('sha256', message, 'buffer'));
const log = await openEmbeddedLog({ file });
const before = process.cpuUsage();
const start = performance.now();
const exporter = startExporter({
  log,
  routes: [DEFAULT_ROUTE],
  exportDir,
  cosignerKeys: async () => [],
  logger: { info: () => undefined, warn: fail, error: fail },
});
const delivered = () => exporter.status().routes[0].counts.delivered;
while (delivered() < Number(events)) await delay(2);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(before);
await exporter.close();
await log.close();
const rssMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, rssMiB }));
