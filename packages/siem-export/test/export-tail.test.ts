import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { readExportTail } from '../src/index.ts';

describe('readExportTail', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  beforeEach(async () => {
    dir = await tempDir();
  });
  afterEach(() => dir.remove());
  const write = (text: string) => writeFile(join(dir.path, 'events.ndjson'), text);

  it('is empty before anything was exported', async () => {
    expect(await readExportTail(dir.path, 5)).toEqual([]);
    await write('');
    expect(await readExportTail(dir.path, 5)).toEqual([]);
  });

  it('has the last whole lines, oldest first, and not the one that is being written', async () => {
    await write('a\nb\nc\nhal');
    expect(await readExportTail(dir.path, 2)).toEqual(['b', 'c']);
    expect(await readExportTail(dir.path, 9)).toEqual(['a', 'b', 'c']);
    expect(await readExportTail(dir.path, 0)).toEqual([]);
  });

  it('reads only the end of a large file, from a line on', async () => {
    const line = 'x'.repeat(1_000);
    await write(`${line}\n`.repeat(3_000));
    const lines = await readExportTail(dir.path, 5_000);
    expect(lines.length).toBeGreaterThan(1_000);
    expect(lines.length).toBeLessThan(1_100);
    expect(new Set(lines)).toEqual(new Set([line]));
  });
});
