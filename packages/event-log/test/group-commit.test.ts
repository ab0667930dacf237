import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GroupCommit } from '../src/embedded/group-commit.ts';
import { openSqlite, type SqliteDatabase } from '../src/index.ts';

let folder: string;
let database: SqliteDatabase;
let executed: string[];
let commits: GroupCommit;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tachograph-commit-'));
  database = openSqlite(join(folder, 'a.sqlite'));
  database.exec('CREATE TABLE t (v INTEGER NOT NULL)');
  executed = [];
  commits = new GroupCommit({
    prepare: (sql) => database.prepare(sql),
    exec: (sql) => {
      executed.push(sql);
      database.exec(sql);
    },
    close: () => database.close(),
    get isTransaction() {
      return database.isTransaction;
    },
  });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const insert = (value: number | null) => () => database.prepare('INSERT INTO t VALUES (?)').run(value);
const stored = () =>
  database
    .prepare('SELECT v FROM t ORDER BY v')
    .all()
    .map((row) => row['v']);

describe('commits in groups', () => {
  it('write what came in one turn in one transaction, and in the order in which it came', async () => {
    const done: number[] = [];
    await Promise.all([1, 2, 3].map((value) => commits.do(insert(value)).then(() => done.push(value))));
    expect(done).toEqual([1, 2, 3]);
    expect(stored()).toEqual([1, 2, 3]);
    expect(executed).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
    await commits.do(insert(4));
    expect(executed).toEqual(['BEGIN IMMEDIATE', 'COMMIT', 'BEGIN IMMEDIATE', 'COMMIT']);
  });

  it('tell nobody before the commit', async () => {
    let told = false;
    const write = commits.do(insert(1)).then(() => (told = true));
    await Promise.resolve();
    expect([told, executed]).toEqual([false, []]);
    await write;
    expect(executed.at(-1)).toBe('COMMIT');
  });

  it('fail together and leave nothing, and the next ones are none the worse', async () => {
    const outcomes = await Promise.allSettled([commits.do(insert(1)), commits.do(insert(null))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(stored()).toEqual([]);
    await commits.do(insert(2));
    expect(stored()).toEqual([2]);
  });

  it('are made at once by a flush, and only once', async () => {
    const write = commits.do(insert(1));
    commits.flush();
    expect(stored()).toEqual([1]);
    await write;
    await nextTurn();
    expect(executed).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
  });
});
