import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inTransaction, openSqlite } from '../src/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tachograph-sqlite-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('openSqlite', () => {
  it('makes the folder and a file that only its owner can read, with commits that are synced', () => {
    const file = join(folder, 'a', 'b.sqlite');
    const db = openSqlite(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    db.close();
  });

  it('gives back blobs byte for byte', () => {
    const db = openSqlite(join(folder, 'a.sqlite'));
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    db.exec('CREATE TABLE t (v BLOB)');
    db.prepare('INSERT INTO t VALUES (?)').run(bytes);
    db.prepare('INSERT INTO t VALUES (?)').run(new Uint8Array());
    const rows = db.prepare('SELECT v FROM t').all();
    expect(rows.map((row) => row['v'])).toEqual([bytes, new Uint8Array()]);
    db.close();
  });

  it('refuses a file that is no database', () => {
    expect(() => openSqlite(folder)).toThrow();
  });
});

describe('inTransaction', () => {
  it('leaves nothing behind when the work throws', () => {
    const db = openSqlite(join(folder, 'a.sqlite'));
    db.exec('CREATE TABLE t (v)');
    const insert = db.prepare('INSERT INTO t VALUES (?)');
    expect(() =>
      inTransaction(db, () => {
        insert.run(1);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(inTransaction(db, () => db.prepare('SELECT count(*) AS n FROM t').get())).toEqual({ n: 0 });
    db.close();
  });
});
