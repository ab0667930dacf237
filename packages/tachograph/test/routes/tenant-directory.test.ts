import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openSqliteRegistry } from '@tachograph/ingest';
import { CliFailure } from '../../src/cli-failure.ts';
import { registryDirectory, sharedDirectory } from '../../src/routes/tenant-directory.ts';
import { tempFolders } from '../support/temp-folder.ts';

const folder = tempFolders();

describe('who knows the tenants', () => {
  it('is the registry, of this process and of another one alike, and sees those that are made later', async () => {
    const dataDir = folder();
    const registry = await openSqliteRegistry(join(dataDir, 'registry.sqlite'));
    const make = (id: string, parent: string | null) =>
      registry.db
        .insertInto('tenants')
        .values({ id, name: id, parent, policy: '{}', created_at: 0 })
        .execute();
    const shared = sharedDirectory({ dataDir, databaseUrl: null });
    for (const directory of [registryDirectory(registry), shared])
      expect(await directory.tenants()).toEqual([]);
    await make('msp', null);
    await make('acme', 'msp');
    const known = [
      { id: 'acme', parent: 'msp' },
      { id: 'msp', parent: null },
    ];
    for (const directory of [registryDirectory(registry), shared]) {
      expect((await directory.tenants()).map(({ id, parent }) => ({ id, parent }))).toEqual(known);
    }
    await shared.close();
    await registry.close();
  });

  it('is nobody where there is no registry yet, which is not made, and somebody once it is there', async () => {
    const dataDir = folder();
    const shared = sharedDirectory({ dataDir, databaseUrl: null });
    await expect(shared.tenants()).rejects.toThrow(CliFailure);
    await expect(shared.tenants()).rejects.toThrow('There is no registry yet.');
    await (await openSqliteRegistry(join(dataDir, 'registry.sqlite'))).close();
    expect(await shared.tenants()).toEqual([]);
    await shared.close();
  });
});
