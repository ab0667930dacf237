/** Verifies an exported file in a process of its own: `verify-file.mjs <file> <events>`. */
import { hash } from 'node:crypto';
import { fileSource, verifyFeed } from '@tachograph/siem-export';
import { useSha256 } from '@tachograph/wire';

const [file, events] = process.argv.slice(2);
// As the `tachograph` command does.
useSha256((message) => hash('sha256', message, 'buffer'));
const before = process.cpuUsage();
const start = performance.now();
const report = await verifyFeed(fileSource(file), { logKeys: [], isPartial: false, heads: new Map() });
const seconds = (performance.now() - start) / 1000;
const entries = report.logs.reduce((sum, log) => sum + log.entries, 0);
// The log of the bench has no `device.enrolled`: everything follows, and nobody says by whose key.
const strange = report.logs.flatMap(({ findings }) => findings.filter(({ kind }) => kind !== 'unproven'));
if (entries !== Number(events) || strange.length > 0) throw new Error('the feed is not as it was exported');
const { user, system } = process.cpuUsage(before);
const rssMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, rssMiB }));
