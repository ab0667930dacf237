import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { openEmbeddedLog } from '@tachograph/event-log';
import { openSqliteRegistry } from '@tachograph/ingest';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkClock } from '../../src/doctor/check-clock.ts';
import type { Finding } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/examine.ts';
import { lockFolder } from '../../src/folder-lock.ts';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempFolders } from '../support/temp-folder.ts';

const folder = tempFolders();
const NOW = Date.UTC(2026, 10, 23);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A program of somebody else that listens. */
async function listening(): Promise<{ port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return server.address() as AddressInfo;
}

async function finding(env: NodeJS.ProcessEnv, check: string): Promise<Finding> {
  const findings = await examine(env, NOW);
  const found = findings.find((row) => row.check === check);
  if (found === undefined) throw new Error(`no finding on ${check}: ${JSON.stringify(findings)}`);
  return found;
}

describe('doctor', () => {
  it('finds nothing wrong before the first start, and makes nothing', async () => {
    const dataDir = join(folder(), 'data');
    const findings = await examine({ DATA_DIR: dataDir, PORT: '0' }, NOW);
    expect(findings.filter(({ state }) => state === 'bad')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      'node',
      'configuration',
      'data folder',
      'disk',
      'port',
      'secret files',
      'keys',
      'log',
      'registry',
      'clock',
      'routes',
      'destinations',
    ]);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('names every wrong setting', async () => {
    const found = await finding({ PORT: 'x', LOG_LEVEL: 'x' }, 'configuration');
    expect(found.state).toBe('bad');
    expect(found.mend).toHaveLength(2);
  });

  it('finds a data folder that is a file', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    expect(await finding({ DATA_DIR: path, PORT: '0' }, 'data folder')).toMatchObject({ state: 'bad' });
  });

  it('finds a port in use, and says which setting mends it', async () => {
    const { port } = await listening();
    const found = await finding({ DATA_DIR: folder(), PORT: String(port) }, 'port');
    expect(found.state).toBe('bad');
    expect(found.mend.join()).toContain('PORT');
  });

  it('takes a port in use for good where a server of this folder is running', async () => {
    const { port } = await listening();
    const dataDir = folder();
    const lock = lockFolder(dataDir, ['ingest']);
    expect(await finding({ DATA_DIR: dataDir, PORT: String(port) }, 'port')).toMatchObject({ state: 'good' });
    lock.release();
  });

  it('finds an address that this machine does not have', async () => {
    const found = await finding({ DATA_DIR: folder(), HOST: '192.0.2.1', PORT: '0' }, 'port');
    expect(found).toMatchObject({ state: 'bad' });
    expect(found.mend.join()).toContain('HOST');
  });

  it('finds keys that others can read', async () => {
    const dataDir = folder();
    mkdirSync(join(dataDir, 'keys'));
    const key = join(dataDir, 'keys', 'ingest.json');
    writeFileSync(key, '{}', { mode: 0o600 });
    const env = { DATA_DIR: dataDir, PORT: '0' };
    expect(await finding(env, 'secret files')).toMatchObject({ state: 'good' });
    chmodSync(key, 0o644);
    const found = await finding(env, 'secret files');
    expect(found.state).toBe('bad');
    expect(found.mend.join()).toContain(`chmod 600 ${key}`);
  });

  it('finds keys of another authority, and says which setting it was', async () => {
    const env = { DATA_DIR: folder(), PORT: '0' };
    expect(await runCli(['keys', 'create'], fakeIo(env))).toBe(0);
    expect(await finding(env, 'keys')).toMatchObject({ state: 'good' });
    const found = await finding({ ...env, AUTHORITY: 'other.example' }, 'keys');
    expect(found).toMatchObject({ state: 'bad' });
    expect(found.mend.join()).toContain('AUTHORITY');
  });

  it('finds a log that is none', async () => {
    const dataDir = folder();
    writeFileSync(join(dataDir, 'log.sqlite'), 'this is no database, however long it may be'.repeat(50));
    expect(await finding({ DATA_DIR: dataDir, PORT: '0' }, 'log')).toMatchObject({ state: 'bad' });
  });

  it('finds a registry that has seen more than the log holds', async () => {
    const dataDir = folder();
    const log = await openEmbeddedLog({ file: join(dataDir, 'log.sqlite') });
    const registry = await openSqliteRegistry(join(dataDir, 'registry.sqlite'));
    await registry.db.deleteFrom('partitions').execute();
    await registry.db
      .insertInto('partitions')
      .values({ partition: 0, settled_offset: 0, version: 0 })
      .execute();
    const env = { DATA_DIR: dataDir, PORT: '0' };
    expect(await finding(env, 'registry')).toMatchObject({ state: 'good' });
    await registry.db.updateTable('partitions').set({ settled_offset: 7 }).execute();
    const found = await finding(env, 'registry');
    expect(found).toMatchObject({ state: 'bad' });
    expect(found.found).toContain('ERR_LOG_TRUNCATED');
    await registry.close();
    await log.close();
  });

  it('finds what is wrong with the file of routes, and what is only worth knowing', async () => {
    const dataDir = folder();
    const file = join(dataDir, 'routes.yaml');
    const env = { DATA_DIR: dataDir, PORT: '0' };
    writeFileSync(
      file,
      'routes:\n  - { name: a, tenants: [acme], format: raw, sink: { type: file, stem: A } }\n',
    );
    expect(await finding(env, 'routes')).toMatchObject({
      state: 'bad',
      mend: [`${file}:2:72: routes[0].sink.stem: expected a name of a-z, 0-9, - and _`],
    });
    writeFileSync(
      file,
      'routes:\n  - { name: a, tenants: [acme], format: raw, sink: { type: file, stem: a } }\n',
    );
    expect(await finding(env, 'routes')).toMatchObject({ state: 'good', found: `1 from ${file}` });
    const registry = await openSqliteRegistry(join(dataDir, 'registry.sqlite'));
    await registry.db
      .insertInto('tenants')
      .values({ id: 'other', name: 'Other', parent: null, policy: '{}', created_at: 0 })
      .execute();
    await registry.close();
    expect(await finding({ ...env, EXPORT_FORMAT: 'ecs' }, 'routes')).toMatchObject({
      state: 'note',
      mend: [
        `${file}:2:26: routes[0].tenants[0]: there is no tenant acme yet`,
        'no route is for other',
        'EXPORT_FORMAT does nothing beside a file of routes',
      ],
    });
    expect(await finding({ ...env, ROUTES_FILE: join(dataDir, 'none') }, 'routes')).toMatchObject({
      state: 'bad',
    });
  });

  it('finds a destination that takes nothing, by the name of its route', async () => {
    const dataDir = folder();
    writeFileSync(join(dataDir, 'export'), 'a file where the folder should be');
    const found = await finding({ DATA_DIR: dataDir, PORT: '0' }, 'destination');
    expect(found).toMatchObject({ state: 'bad', found: expect.stringMatching(/^route events: .*ENOTDIR/) });
    expect(found.mend).not.toEqual([]);
  });

  it.each([
    ['before this program existed', 0, null, 'bad'],
    ['behind what was received already', NOW, NOW + 3_600_000, 'bad'],
    ['as it should be', NOW, NOW - 1, 'good'],
  ] as const)('judges a clock %s', (_, now, newest, state) => {
    expect(checkClock(now, newest).state).toBe(state);
  });

  it('ends with code 1 where something is wrong, and says what mends it', async () => {
    const io = fakeIo({ PORT: 'x' });
    expect(await runCli(['doctor'], io)).toBe(1);
    expect(io.printed()).toMatch(/✗ configuration .*\n +→ PORT: expected/);
    const healthy = fakeIo({ DATA_DIR: folder(), PORT: '0' });
    expect(await runCli(['doctor'], healthy)).toBe(0);
  });
});
