import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { describeRegistryContract } from '../../../../test/contracts/registry.contract.ts';
import { makeAuthority, type Authority } from '../../../../test/support/certificates.ts';
import { freePort } from '../../../../test/support/free-port.ts';
import { startPostgres, type Postgres } from '../../../../test/support/postgres.ts';
import { registryFault } from '../../src/registry/health.ts';
import { openPostgresRegistry } from '../../src/registry/postgres-registry.ts';
import type { Db, Registry } from '../../src/registry/registry.ts';
import { RegistryUnavailableError } from '../../src/registry/unavailable.ts';
import { Secret } from '../../src/secret.ts';

describeRegistryContract('the registry in PostgreSQL', async () => {
  const server = await startPostgres();
  return {
    place: async () => {
      const url = new Secret(server.createDatabase());
      return () => openPostgresRegistry(url);
    },
    destroy: () => server.stop(),
  };
});

describe('the registry in PostgreSQL', () => {
  let server: Postgres;
  let url: string;
  let folder: string;
  let authority: Authority;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tachograph-tls-'));
    authority = makeAuthority(folder, 'ours');
    server = await startPostgres(authority.issue('db', ['IP:127.0.0.1']));
    url = server.createDatabase();
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const setMeta = (key: string) => (db: Db) => db.insertInto('meta').values({ key, value: '' }).execute();
  const keysOf = async ({ db }: Registry): Promise<string[]> =>
    (await db.selectFrom('meta').select('key').where('key', '<>', 'schema_version').execute()).map(
      ({ key }) => key,
    );

  it('waits for the disk in a transaction, and not in a checkpoint', async () => {
    const registry = await openPostgresRegistry(new Secret(url));
    const level = async (db: Db): Promise<string | undefined> =>
      (await sql<{ level: string }>`select current_setting('synchronous_commit') as level`.execute(db))
        .rows[0]?.level;
    const levels = [
      await registry.transaction(level),
      await registry.checkpoint(level),
      await registry.transaction(level),
      await level(registry.db),
    ];
    expect(levels).toEqual(['on', 'off', 'on', 'on']);
    await registry.close();
  });

  it('keeps what a transaction stored through a crash of the server, with every checkpoint before it', async () => {
    const registry = await openPostgresRegistry(new Secret(url));
    await registry.checkpoint(setMeta('a checkpoint'));
    await registry.transaction(setMeta('a fact'));
    await server.crash();
    expect(await registryFault(registry)).toMatchObject({ code: 'ERR_REGISTRY_UNAVAILABLE' });
    await server.start();
    // The same pool goes on: what was broken has left it.
    expect(await registryFault(registry)).toBeNull();
    expect(await keysOf(registry)).toEqual(['a checkpoint', 'a fact']);
    await registry.close();
  });

  it('says that it is unavailable, and rolls back, where the connection breaks inside a transaction', async () => {
    const registry = await openPostgresRegistry(new Secret(url));
    const before = await keysOf(registry);
    const broken = registry.transaction(async (trx) => {
      await setMeta('never')(trx);
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      server.psql(url, `select pg_terminate_backend(${rows[0]!.pid})`);
      await setMeta('after')(trx);
    });
    await expect(broken).rejects.toBeInstanceOf(RegistryUnavailableError);
    expect(await keysOf(registry)).toEqual(before);
    await registry.close();
  });

  it('does not take a transaction for committed in which a statement had failed', async () => {
    const registry = await openPostgresRegistry(new Secret(url));
    const before = await keysOf(registry);
    const swallowed = registry.transaction(async (trx) => {
      await setMeta('beside')(trx);
      const failed = await sql`select nothing from nowhere`.execute(trx).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(Error);
    });
    await expect(swallowed).rejects.toThrow('the transaction was rolled back');
    expect(await keysOf(registry)).toEqual(before);
    await registry.close();
  });

  it('refuses a server that may lose what it has committed, or cannot hold every text', async () => {
    const lossy = server.createDatabase();
    server.psql(lossy, `alter database ${new URL(lossy).pathname.slice(1)} set synchronous_commit = off`);
    await expect(openPostgresRegistry(new Secret(lossy))).rejects.toThrow(
      "PostgreSQL's synchronous_commit is off; the registry needs on",
    );
    server.psql(url, "create database latin encoding 'LATIN1' locale 'C' template template0");
    const latin = new URL(url);
    latin.pathname = '/latin';
    await expect(openPostgresRegistry(new Secret(latin.href))).rejects.toThrow(
      "PostgreSQL's server_encoding is LATIN1; the registry needs UTF8",
    );
  });

  it('takes a server over TLS that proves who it is, and no other', async () => {
    const over = (sslmode: string, ca: string | null, host = '127.0.0.1'): Promise<Registry> => {
      const address = new URL(url);
      address.hostname = host;
      address.searchParams.set('sslmode', sslmode);
      if (ca !== null) address.searchParams.set('sslrootcert', ca);
      return openPostgresRegistry(new Secret(address.href));
    };
    const theirs = makeAuthority(folder, 'theirs').cert;
    for (const mode of ['verify-full', 'require']) {
      const registry = await over(mode, authority.cert);
      const { rows } = await sql<{
        ssl: boolean;
      }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(registry.db);
      expect(rows).toEqual([{ ssl: true }]);
      await registry.close();
      await expect(over(mode, null)).rejects.toThrow(/certificate/);
      await expect(over(mode, theirs)).rejects.toThrow(/certificate/);
      await expect(over(mode, authority.cert, 'localhost')).rejects.toThrow(/does not match/);
    }
  });

  it('says why it cannot be opened, and never the password', async () => {
    const wrong = new URL(url);
    wrong.password = 'another-password';
    const nowhere = new URL(url);
    nowhere.port = String(await freePort());
    for (const [address, reason] of [
      [wrong, 'password authentication failed for user "tachograph"'],
      [nowhere, 'ECONNREFUSED'],
    ] as const) {
      const error: unknown = await openPostgresRegistry(new Secret(address.href)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(RegistryUnavailableError);
      const shown = inspect(error, { depth: 10, showHidden: true });
      expect(shown).toContain(reason);
      expect(shown).not.toContain(address.password);
    }
  });
});
