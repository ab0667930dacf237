import type { IngestConfig, Registry } from '@tachograph/ingest';
import type { KnownTenant } from '@tachograph/siem-export';
import { Closers } from '../closers.ts';
import { lookAtRegistry } from '../serve/data-folder.ts';

/** Which tenants there are at this moment. */
export interface TenantDirectory {
  /** Every tenant. @throws where nobody can say now */
  tenants(): Promise<readonly KnownTenant[]>;
}

/** Asks a registry that is open. */
export function registryDirectory(registry: Registry): TenantDirectory {
  return {
    tenants: () => registry.db.selectFrom('tenants').select(['id', 'parent']).orderBy('id').execute(),
  };
}

/**
 * Asks a registry that other processes work with, and changes nothing of it. It is opened when it is first needed, and
 * anew after a failure: it may be made, migrated or brought back while this process runs.
 */
export function sharedDirectory(
  config: Pick<IngestConfig, 'dataDir' | 'databaseUrl'>,
): TenantDirectory & { readonly close: () => Promise<void> } {
  let opened: { readonly directory: TenantDirectory; readonly closers: Closers } | null = null;
  const close = async (): Promise<void> => {
    const { closers } = opened ?? {};
    opened = null;
    await closers?.close();
  };
  return {
    close,
    async tenants() {
      const closers = new Closers();
      try {
        opened ??= { directory: registryDirectory(await lookAtRegistry(config, closers)), closers };
        return await opened.directory.tenants();
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}
