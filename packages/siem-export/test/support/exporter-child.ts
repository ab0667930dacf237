/** A process that exports until it is killed: `exporter-child.ts <log file> <export folder>`. */
import { setTimeout as delay } from 'node:timers/promises';
import { openEmbeddedLog } from '@tachograph/event-log';
import { nodeFiles, type FileSystem } from '../../src/files/file-system.ts';
import { startExporter } from '../../src/index.ts';

const [file, exportDir] = process.argv.slice(2);
if (file === undefined || exportDir === undefined) throw new Error('two arguments');

/** Writes in two halves with pauses around, so that a kill finds every state in between. */
const slowFiles: FileSystem = {
  ...nodeFiles,
  async open(path) {
    const open = await nodeFiles.open(path);
    return {
      ...open,
      async write(bytes, position) {
        const half = Math.floor(bytes.length / 2);
        await open.write(bytes.subarray(0, half), position);
        await delay(Math.random() * 6);
        await open.write(bytes.subarray(half), position + half);
      },
      async sync() {
        await open.sync();
        await delay(Math.random() * 6);
      },
    };
  },
  async rename(from, to) {
    await nodeFiles.rename(from, to);
    await delay(Math.random() * 6);
  },
};

const stderr = (fields: object, name: string): void => {
  process.stderr.write(`${name} ${JSON.stringify(fields)}\n`);
};
// A lease longer than any test: the next process must not have to wait for a killed one's.
const log = await openEmbeddedLog({ file, leaseMs: 3_600_000, pollMs: 20 });
startExporter({
  log,
  exportDir,
  routes: [
    {
      name: 'events',
      tenants: '*',
      format: 'cloudevents',
      sink: { type: 'file', stem: 'events', bytesMax: 300_000 },
      deadLetters: 'dead-letters',
    },
  ],
  cosignerKeys: async () => [],
  files: slowFiles,
  logger: { info: () => undefined, warn: stderr, error: stderr },
});
