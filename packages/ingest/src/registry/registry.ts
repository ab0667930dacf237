import { Kysely } from 'kysely';
import { migrate, schemaState, SQLITE_TYPES } from './migrations.ts';
import type { RegistrySchema } from './schema.ts';
import { sqliteDialect, SqliteDriver } from './sqlite-dialect.ts';

/** Where queries run: the registry itself, or one transaction of it. */
export type Db = Kysely<RegistrySchema>;

/** Tenants, devices, heads, tokens, policies, directives and the outbox. */
export type Registry = {
  readonly db: Db;
  /**
   * All of `work` or, where it rejects, none of it; fsynced when it resolves, and as if no other transaction ran
   * beside it. Inside, await nothing but queries on `trx`: others wait for the same connection or the same rows. It
   * may be run again from its start, after all it did was undone: whatever else it does must bear that.
   *
   * Others may have to wait for their turn, and be told that the registry is unavailable. A `lane` never waits behind
   * them: there is one at a time for each partition, and all that its devices sent waits for it.
   */
  readonly transaction: <T>(work: (trx: Db) => Promise<T>, who?: 'lane') => Promise<T>;
  /**
   * The same for what the ordered log says as well, and from which it is made again: a power cut may take back the
   * newest of these, the youngest first, until a `transaction` has been fsynced behind them. Beside other nodes each
   * of its statements sees what is committed by then: begin it with a conditional update of the row that stands for
   * all it writes.
   */
  readonly checkpoint: <T>(work: (trx: Db) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};

/**
 * Opens the registry in `file`, made and migrated where that is needed. The file is the registry's alone: the
 * embedded log writes synchronously and would wait for a transaction that cannot end meanwhile.
 *
 * @throws where the file cannot be opened, or was made by a newer release
 */
export async function openSqliteRegistry(file: string): Promise<Registry> {
  const driver = new SqliteDriver(file);
  const db = new Kysely<RegistrySchema>({ dialect: sqliteDialect(driver) });
  await migrate<RegistrySchema>((work) => db.transaction().execute(work), SQLITE_TYPES);
  return registryOver(db, driver);
}

/**
 * Opens the registry in `file`, which is there, to look at it: nothing is made or migrated.
 * @returns how its schema stands to this release's, where that is not the same
 */
export async function lookAtSqliteRegistry(
  file: string,
): Promise<Registry | Exclude<Awaited<ReturnType<typeof schemaState>>, 'present'>> {
  const driver = new SqliteDriver(file);
  const db = new Kysely<RegistrySchema>({ dialect: sqliteDialect(driver) });
  const state = await schemaState(db);
  if (state === 'present') return registryOver(db, driver);
  await db.destroy();
  return state;
}

function registryOver(db: Db, driver: SqliteDriver): Registry {
  return {
    db,
    transaction: (work) => db.transaction().execute(work),
    checkpoint: (work) =>
      db.connection().execute((own) => driver.withoutFsync(() => own.transaction().execute(work))),
    close: () => db.destroy(),
  };
}
