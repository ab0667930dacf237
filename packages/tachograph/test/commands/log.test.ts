import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openSqlite } from '@tachograph/event-log';
import { openSqliteRegistry } from '@tachograph/ingest';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder();
afterAll(() => folder.remove());

/** Runs `tachograph log …`, and answers its exit code and what it printed on either stream. */
async function log(...args: string[]) {
  const io = fakeIo({ DATA_DIR: folder.path, AUTHORITY: 'audit.example.com' });
  const code = await runCli(['log', ...args], io);
  return { code, printed: io.printed(), complained: io.complained() };
}

describe('tachograph log lost', () => {
  it('looks, and changes nothing: it makes no registry and no log, and migrates none', async () => {
    const none = await log('lost');
    expect(none).toMatchObject({ code: 1, complained: expect.stringContaining('no registry yet') });
    expect(readdirSync(folder.path)).toEqual([]);

    const file = join(folder.path, 'registry.sqlite');
    await (await openSqliteRegistry(file)).close();
    const before = openSqlite(file);
    before.prepare("UPDATE meta SET value = '1' WHERE key = 'schema_version'").run();
    before.close();
    const older = await log('lost');
    expect(older).toMatchObject({ code: 1, complained: expect.stringContaining('an older release') });
    const after = openSqlite(file);
    expect(after.prepare("SELECT value FROM meta WHERE key = 'schema_version'").get()).toEqual({
      value: '1',
    });
    after.close();
  });

  it('names the settings that it goes by, the registry in PostgreSQL too', async () => {
    expect((await log('--help')).printed).toContain('DATABASE_URL');
  });
});

describe('tachograph log rewind', () => {
  it('does nothing without --yes', async () => {
    expect(await log('rewind')).toMatchObject({ code: 1, complained: expect.stringContaining('--yes') });
  });
});
