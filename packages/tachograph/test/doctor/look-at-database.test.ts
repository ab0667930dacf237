import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openPostgresRegistry, Secret } from '@tachograph/ingest';
import { startPostgres, type Postgres } from '../../../../test/support/postgres.ts';
import { lookAtDatabase } from '../../src/doctor/look-at-database.ts';

describe('what doctor says of a registry in PostgreSQL', () => {
  let server: Postgres;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres();
    url = server.createDatabase();
  }, 60_000);
  afterAll(() => server?.stop());

  const look = async () => {
    const opened = await lookAtDatabase(new Secret(url));
    if (opened.opened) await opened.value.close();
    return opened.opened ? 'opened' : { state: opened.finding.state, found: opened.finding.found };
  };

  it('follows its life, and makes or migrates nothing', async () => {
    const place = `PostgreSQL at ${new URL(url).host}${new URL(url).pathname}`;
    expect(await look()).toEqual({
      state: 'note',
      found: `${place}: none yet, it is made at the first start`,
    });
    expect(server.psql(url, `select count(*) from pg_tables where schemaname = 'public'`)).toBe('0\n');
    await (await openPostgresRegistry(new Secret(url))).close();
    expect(await look()).toBe('opened');
    const version = server.psql(url, 'select value from meta').trim();
    server.psql(url, `update meta set value = '1'`);
    expect(await look()).toEqual({ state: 'note', found: `${place}: of an earlier release` });
    expect(server.psql(url, 'select value from meta')).toBe('1\n');
    server.psql(url, `update meta set value = '99'`);
    expect(await look()).toEqual({ state: 'bad', found: `${place}: of a newer release` });
    server.psql(url, `update meta set value = '${version}'`);
  });

  it('tells why it cannot be used, without the password', async () => {
    await server.crash();
    const { password } = new URL(url);
    const opened = await lookAtDatabase(new Secret(url));
    expect(opened).toMatchObject({
      opened: false,
      finding: { state: 'bad', found: expect.stringContaining('ECONNREFUSED') },
    });
    expect(JSON.stringify(opened)).not.toContain(password);
    await server.start();
  });
});
