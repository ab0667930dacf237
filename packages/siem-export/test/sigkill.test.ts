import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openEmbeddedLog, type EventLog } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import { eventually } from '../../../test/support/eventually.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { appendTo } from './support/surroundings.ts';
import { eventLeaf, rejectedLeaf, TestDevice } from './support/test-device.ts';

const CHILD = fileURLToPath(new URL('support/exporter-child.ts', import.meta.url));
const HOOKS = new URL('../../../scripts/typescript.mjs', import.meta.url).href;
const KILLS = 20;
const SEED = Number(process.env['TACHOGRAPH_SEED'] ?? 20_261_123);

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe(`an exporter killed ${KILLS} times (seed ${SEED})`, () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EventLog;
  let exportDir: string;

  beforeEach(async () => {
    dir = await tempDir();
    exportDir = join(dir.path, 'export');
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite') });
  });
  afterEach(async () => {
    await log.close();
    await dir.remove();
  });

  /** All files of a stem, the oldest first and the open one last, in one text. */
  async function readAll(stem: string): Promise<string> {
    const names = await readdir(exportDir).catch(() => []);
    const rotated = names.filter((name) => name.startsWith(`${stem}-2`)).sort();
    const files = [...rotated, ...names.filter((name) => name === `${stem}.ndjson`)];
    return (await Promise.all(files.map((name) => readFile(join(exportDir, name), 'utf8')))).join('');
  }
  /** The same while a child runs; `null` where a file was rotated just then. */
  const glimpse = (stem: string): Promise<string | null> =>
    readAll(stem).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return null;
    });
  const wholeLines = (text: string): string[] => text.split('\n').slice(0, -1);

  function startChild() {
    const args = ['--conditions=tachograph-source', '--import', HOOKS, CHILD];
    const child = spawn(process.execPath, [...args, join(dir.path, 'log.sqlite'), exportDir], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    return { child, exited: once(child, 'exit'), errors: () => errors };
  }

  it('has every entry once, in order and byte for byte, and every dead letter once (INV-08, INV-10, INV-13)', async () => {
    const random = seeded(SEED);
    const devices = await Promise.all(Array.from({ length: 6 }, () => TestDevice.make()));
    const rejected: string[] = [];
    let total = 0;
    let killedAtWork = 0;
    let warnings = '';
    const feedMore = async (): Promise<void> => {
      for (const device of devices) {
        for (let appends = 0; appends < 12; appends++) {
          const { size } = device.range;
          const count = 1 + Math.floor(random() * 60);
          const leaves = Array.from({ length: count }, (_, i) => {
            if (random() > 0.01) return eventLeaf(size + i);
            rejected.push(`${device.id}/${size + i}`);
            return rejectedLeaf(utf8(`not JSON ${size + i}`), 'ERR_LEAF_JSON');
          });
          await appendTo(log, await device.append(leaves));
          total += count;
        }
      }
    };
    for (let kill = 0; kill < KILLS; kill++) {
      await feedMore();
      const before = (await readAll('events')).length;
      const { child, exited, errors } = startChild();
      await eventually(`the feed moves before kill ${kill}`, async () => {
        if (child.exitCode !== null) throw new Error(`the exporter ended by itself: ${errors()}`);
        return ((await glimpse('events'))?.length ?? before) === before ? null : true;
      });
      await delay(random() * 60);
      child.kill('SIGKILL');
      await exited;
      warnings += errors();
      if (wholeLines(await readAll('events')).length < total) killedAtWork++;
    }
    const last = startChild();
    try {
      await eventually('everything is exported', async () => {
        const [feed, letters] = [await glimpse('events'), await glimpse('dead-letters')];
        if (feed === null || letters === null) return null;
        return wholeLines(feed).length >= total && wholeLines(letters).length >= rejected.length
          ? true
          : null;
      });
    } finally {
      last.child.kill('SIGKILL');
      await last.exited;
    }
    expect(warnings + last.errors()).toBe('');

    const feed = wholeLines(await readAll('events'));
    const bySource = new Map<string, number[]>();
    for (const line of feed) {
      const { source, sequence, data_base64 } = JSON.parse(line) as Record<string, string>;
      const index = Number(sequence);
      bySource.set(source!, [...(bySource.get(source!) ?? []), index]);
      if (data_base64 === undefined) {
        const leaf = Buffer.from(eventLeaf(index)).toString();
        expect(line.endsWith(`"data":${leaf}}`)).toBe(true);
      }
    }
    for (const { origin, range } of devices) {
      expect(bySource.get(origin)).toEqual(Array.from({ length: range.size }, (_, i) => i));
    }
    expect(feed).toHaveLength(total);
    const letters = wholeLines(await readAll('dead-letters')).map((line) => {
      const { headers } = JSON.parse(line) as { headers: { ce_id: string } };
      return headers.ce_id.slice(0, headers.ce_id.lastIndexOf('/'));
    });
    expect(letters.sort()).toEqual(rejected.sort());
    // The kills must have found work in progress, or the test has shown nothing.
    expect(killedAtWork).toBeGreaterThanOrEqual(KILLS / 2);
    expect((await readdir(exportDir)).filter((name) => name.startsWith('events-2')).length).toBeGreaterThan(
      3,
    );
  }, 180_000);
});
