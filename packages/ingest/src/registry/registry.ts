import { Kysely } from 'kysely';
import { migrate, SQLITE_TYPES } from './migrations.ts';
import type { RegistrySchema } from './schema.ts';
import { sqliteDialect, SqliteDriver } from './sqlite-dialect.ts';

/** Where queries run: the registry itself, or one transaction of it. */
export type Db = Kysely<RegistrySchema>;

/** Tenants, devices, heads, tokens, policies, directives and the outbox. */
export type Registry = {
  readonly db: Db;
  /**
   * All of `work` or, where it rejects, none of it; fsynced when it resolves. Inside, await nothing but queries on
   * `trx`: other work of this process waits for the same connection.
   */
  readonly transaction: <T>(work: (trx: Db) => Promise<T>) => Promise<T>;
  /**
   * The same for what the ordered log says as well, and from which it is made again: a power cut may take back the
   * newest of these, the youngest first, until a `transaction` has been fsynced behind them.
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
  await migrate(db, SQLITE_TYPES);
  return {
    db,
    transaction: (work) => db.transaction().execute(work),
    checkpoint: (work) =>
      db.connection().execute((own) => driver.withoutFsync(() => own.transaction().execute(work))),
    close: () => db.destroy(),
  };
}
