import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '@tachograph/wire';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { AppendFile } from '../../src/files/append-file.ts';
import { formatMark } from '../../src/files/file-mark.ts';
import { FailingFiles, type FileOperation } from '../support/failing-files.ts';
import { FastClock, keepingLogger } from '../support/surroundings.ts';

describe('AppendFile', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let files: FailingFiles;
  let clock: FastClock;
  let logger: ReturnType<typeof keepingLogger>;

  beforeEach(async () => {
    dir = await tempDir();
    files = new FailingFiles();
    clock = new FastClock();
    logger = keepingLogger();
  });
  afterEach(async () => {
    for (const file of opened.splice(0)) await file.close();
    await dir.remove();
  });

  const opened: AppendFile[] = [];
  const open = async (
    marks: readonly string[] = [],
    limits: { bytesMax?: number; ageMsMax?: number; keepBytesMax?: number } = {},
  ): Promise<AppendFile> => {
    const options = { files, folder: dir.path, stem: 'f', bytesMax: 1_000, ageMsMax: 60_000, clock, logger };
    const all = { ...options, keepBytesMax: 1_000_000, ...limits };
    const file = await AppendFile.open(all, marks);
    opened.push(file);
    return file;
  };
  /** Appends each line and commits it. Returns the last mark. */
  const settle = async (file: AppendFile, ...lines: readonly string[]): Promise<string> => {
    for (const line of lines) {
      await file.append(utf8(line));
      await file.committed(file.mark);
    }
    return file.mark;
  };
  const path = (): string => join(dir.path, 'f.ndjson');
  const text = (): Promise<string> => readFile(path(), 'utf8');
  const rotated = async (): Promise<string[]> =>
    (await readdir(dir.path)).filter((name) => !['f.ndjson', 'f.mark'].includes(name)).sort();

  it('cuts what was appended behind the committed mark', async () => {
    const file = await open();
    await file.append(utf8('one\n'));
    const committed = file.mark;
    await file.append(utf8('two\nthr'));
    const again = await open([committed]);
    expect(await text()).toBe('one\n');
    await again.append(utf8('TWO\n'));
    expect(await text()).toBe('one\nTWO\n');
    expect(logger.lines).toEqual([]);
  });

  it('begins at the largest mark, whichever partition committed it', async () => {
    const file = await open();
    const marks = [file.mark];
    for (const line of ['one\n', 'two\n', 'three\n']) {
      await file.append(utf8(line));
      marks.push(file.mark);
    }
    await file.append(utf8('cut\n'));
    await open([marks[1]!, marks[3]!, marks[0]!, marks[2]!]);
    expect(await text()).toBe('one\ntwo\nthree\n');
  });

  it('orders marks by generation first: a rotated file was longer than the one that followed it', async () => {
    const file = await open([], { bytesMax: 10 });
    const before = await settle(file, 'a long line\n');
    const after = await settle(file, 'b\n');
    await file.append(utf8('c\n'));
    await open([after, before]);
    expect(await text()).toBe('b\n');
    expect(await rotated()).toHaveLength(1);
  });

  it('drops what was written to a new file when the kill came before its first commit', async () => {
    const file = await open([], { bytesMax: 5 });
    const committed = await settle(file, 'first\n');
    await file.append(utf8('second\n'));
    await open([committed], { bytesMax: 5 });
    expect(await text()).toBe('');
    const [name] = await rotated();
    expect(await readFile(join(dir.path, name!), 'utf8')).toBe('first\n');
    expect(logger.lines).toEqual([]);
  });

  it('rotates before the size is passed, by age, and never an empty file', async () => {
    const file = await open([], { bytesMax: 8, ageMsMax: 1_000 });
    clock.time += 5_000;
    await settle(file, '1234\n');
    expect(await rotated()).toEqual([]);
    await settle(file, '56\n');
    expect(await rotated()).toHaveLength(1);
    expect(await text()).toBe('56\n');
    clock.time += 1_000;
    await file.append(utf8('7\n'));
    expect(await rotated()).toHaveLength(2);
    expect(await rotated()).toEqual((await rotated()).toSorted());
  });

  it.each([
    ['size', { bytesMax: 10 }],
    ['age', { ageMsMax: 1_000 }],
  ])('never rotates away by %s what a restart may have to cut', async (_what, limits) => {
    const file = await open([], limits);
    const committed = await settle(file, 'one\n');
    await file.append(utf8('two\n'));
    clock.time += 2_000;
    await file.append(utf8('three\n'));
    await open([committed], limits);
    expect(await text()).toBe('one\n');
    expect(await rotated()).toEqual([]);
    expect(logger.lines).toEqual([]);
  });

  it('rotates at most once between two commits, and drops all of the new file when it was not committed', async () => {
    const file = await open([], { bytesMax: 5, keepBytesMax: 0 });
    const committed = await settle(file, 'first\n');
    for (const line of ['second\n', 'third\n', 'fourth\n']) await file.append(utf8(line));
    await open([committed], { bytesMax: 5, keepBytesMax: 0 });
    expect(await text()).toBe('');
    const texts = await Promise.all((await rotated()).map((name) => readFile(join(dir.path, name), 'utf8')));
    expect(texts).toEqual(['first\n']);
  });

  it('rotates at the next append once all is committed, also where it was opened so', async () => {
    const file = await open([], { bytesMax: 5 });
    await file.append(utf8('one\n'));
    await file.append(utf8('two\n'));
    expect(await text()).toBe('one\ntwo\n');
    await file.committed(file.mark);
    const again = await open([file.mark], { bytesMax: 5 });
    await again.append(utf8('three\n'));
    expect(await text()).toBe('three\n');
    expect(await rotated()).toHaveLength(1);
  });

  it('removes the oldest rotated files beyond the bytes to keep, and nothing else', async () => {
    const others = ['f-other-20260101T000000000Z.ndjson', 'f-notes.ndjson', 'g-20260101T000000000Z.ndjson'];
    for (const name of others) await writeFile(join(dir.path, name), 'not ours to remove');
    const file = await open([], { bytesMax: 5, keepBytesMax: 10 });
    await settle(file, '1111\n', '2222\n', '3333\n', '4444\n', '5555\n');
    const kept = (await rotated()).filter((name) => !others.includes(name));
    const texts = await Promise.all(kept.map((name) => readFile(join(dir.path, name), 'utf8')));
    expect([...texts, await text()]).toEqual(['3333\n', '4444\n', '5555\n']);
    expect(await rotated()).toEqual(expect.arrayContaining(others));
    expect(logger.lines.map(({ name }) => name)).toEqual(['file.removed', 'file.removed']);
  });

  it('keeps the newest rotated file whatever its size, so that a restart finds where it was', async () => {
    const file = await open([], { bytesMax: 5, keepBytesMax: 0 });
    const committed = await settle(file, '1111\n', '2222\n');
    await file.append(utf8('3333\n'));
    expect(await rotated()).toHaveLength(1);
    await open([committed], { bytesMax: 5, keepBytesMax: 0 });
    expect(await text()).toBe('');
  });

  it('goes on writing where a file cannot be removed, and tries again at the next rotation', async () => {
    const file = await open([], { bytesMax: 5, keepBytesMax: 0 });
    await settle(file, '1111\n', '2222\n');
    files.fail('remove', 'EACCES');
    await settle(file, '3333\n');
    expect(await text()).toBe('3333\n');
    expect(logger.lines.map(({ name }) => name)).toEqual(['file.removal_failed']);
    await file.append(utf8('4444\n'));
    expect(await rotated()).toHaveLength(1);
  });

  it('keeps the names in order when the clock is set back', async () => {
    const file = await open([], { bytesMax: 2 });
    await settle(file, 'a\n');
    clock.time -= 1_000_000;
    await settle(file, 'b\n');
    await file.append(utf8('c\n'));
    const texts = await Promise.all((await rotated()).map((name) => readFile(join(dir.path, name), 'utf8')));
    expect(texts).toEqual(['a\n', 'b\n']);
  });

  it.each<[FileOperation, string]>([
    ['write', 'ENOSPC'],
    ['sync', 'EIO'],
  ])(
    'after a failed %s nothing of the batch counts, and the next try leaves no trace of it',
    async (operation, code) => {
      const file = await open();
      await file.append(utf8('one\n'));
      const { mark } = file;
      files.fail(operation, code);
      await expect(file.append(utf8('two and more\n'))).rejects.toMatchObject({ code });
      expect(file.mark).toBe(mark);
      await file.append(utf8('2\n'));
      expect(await text()).toBe('one\n2\n');
    },
  );

  it.each<FileOperation>(['rename', 'open', 'syncFolder'])(
    'survives a %s that fails during a rotation',
    async (operation) => {
      const file = await open([], { bytesMax: 5 });
      await settle(file, 'first\n');
      files.fail(operation, 'EIO');
      await expect(file.append(utf8('second\n'))).rejects.toMatchObject({ code: 'EIO' });
      await file.append(utf8('second\n'));
      expect(await text()).toBe('second\n');
      expect(await rotated()).toHaveLength(1);
    },
  );

  it('never cuts a file that it has no mark for', async () => {
    await writeFile(path(), 'somebody else wrote this\n');
    const file = await open();
    await file.append(utf8('ours\n'));
    expect(await text()).toBe('ours\n');
    const [name] = await rotated();
    expect(await readFile(join(dir.path, name!), 'utf8')).toBe('somebody else wrote this\n');
    expect(logger.lines).toEqual([expect.objectContaining({ level: 'warn', name: 'file.set_aside' })]);
  });

  it('does not apply the marks of another file', async () => {
    await writeFile(path(), 'keep\nthis\n');
    const mark = formatMark({ stem: 'g', generation: '20261123T080000000Z', bytes: 5 });
    await open([mark]);
    const [name] = await rotated();
    expect(await readFile(join(dir.path, name!), 'utf8')).toBe('keep\nthis\n');
  });

  it('sets a file aside that is shorter than its mark, or whose mark is inside a line', async () => {
    for (const found of ['on', 'onetwothree\n']) {
      const file = await open();
      await file.append(utf8('one\n'));
      const { mark } = file;
      await file.close();
      await writeFile(path(), found);
      await open([mark]);
      expect(await text()).toBe('');
      await rm(path());
    }
    expect(logger.lines.map(({ name }) => name)).toEqual(['file.set_aside', 'file.set_aside']);
  });

  it.each([
    ['renamed', () => rename(path(), join(dir.path, 'f.ndjson.1'))],
    ['removed', () => rm(path())],
    ['emptied', () => truncate(path(), 0)],
  ])('goes on in a new file when the open one is %s from outside', async (_what, interfere) => {
    const file = await open();
    await file.append(utf8('one\n'));
    await interfere();
    await file.append(utf8('two\n'));
    expect(await text()).toBe('two\n');
    expect(logger.lines).toHaveLength(1);
  });

  it('cuts what somebody appended behind the mark only at its own start', async () => {
    const file = await open();
    await file.append(utf8('one\n'));
    await appendFile(path(), 'foreign');
    await open([file.mark]);
    expect(await text()).toBe('one\n');
  });

  describe('beside a log that was restored from before', () => {
    const readAll = async (): Promise<string> => {
      const names = [...(await rotated()), 'f.ndjson'];
      return (await Promise.all(names.map((name) => readFile(join(dir.path, name), 'utf8')))).join('');
    };
    /** Appends each line and commits it, the last one apart: it is in flight. Returns the marks in order. */
    const live = async (lines: readonly string[], bytesMax = 1_000): Promise<string[]> => {
      const file = await open([], { bytesMax });
      const marks = [file.mark];
      for (const line of lines) {
        await file.append(utf8(line));
        marks.push(file.mark);
        await file.committed(file.mark);
      }
      await file.append(utf8('in flight\n'));
      return marks;
    };

    it('keeps committed lines behind the older mark, however few, and begins a new file', async () => {
      const marks = await live(['one\n', 'two\n']);
      const file = await open([marks[1]!]);
      expect(await text()).toBe('');
      await file.append(utf8('three\n'));
      expect(await readAll()).toBe('one\ntwo\nin flight\nthree\n');
      expect(logger.lines).toEqual([expect.objectContaining({ level: 'warn', name: 'file.set_aside' })]);
    });

    it('keeps the open file where files newer than the mark were rotated, and their order', async () => {
      const marks = await live(['one\n', 'two\n', 'three\n'], 5);
      clock.time -= 1_000_000;
      const file = await open([marks[1]!]);
      await file.append(utf8('four\n'));
      expect(await readAll()).toBe('one\ntwo\nthree\nin flight\nfour\n');
    });

    it('goes on from its first commit after that as ever', async () => {
      const marks = await live(['one\n', 'two\n']);
      const file = await open([marks[1]!]);
      const first = file.mark;
      await file.committed(first);
      await file.append(utf8('cut\n'));
      await open([marks[1]!, first]);
      expect(await readAll()).toBe('one\ntwo\nin flight\n');
      expect(logger.lines).toHaveLength(1);
    });

    it('keeps a tail when its record of commits is lost, and cuts nothing when there is no tail', async () => {
      const marks = await live(['one\n', 'two\n']);
      await rm(join(dir.path, 'f.mark'));
      await open([marks[2]!]);
      expect(await readAll()).toBe('one\ntwo\nin flight\n');
      expect(logger.lines).toHaveLength(1);
    });

    it.each([100, 256, 400, 511])('is not misled by a record torn after %d bytes', async (torn) => {
      const marks = await live(['one\n', 'two\n', 'three\n']);
      const name = join(dir.path, 'f.mark');
      const record = await readFile(name);
      const newest = record.subarray(0, 512).includes(marks[3]!) ? 0 : 512;
      record.fill('x', newest + torn, newest + 512);
      await writeFile(name, record);
      await open([marks[3]!]);
      expect(await text()).toBe('one\ntwo\nthree\n');
      expect(logger.lines).toEqual([]);
    });
  });

  it('refuses a mark that is none', async () => {
    await expect(open(['{"bytes":1}'])).rejects.toThrow();
  });
});
