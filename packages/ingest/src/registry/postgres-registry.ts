import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, sql } from 'kysely';
import type { Secret } from '../secret.ts';
import { migrate, POSTGRES_TYPES, schemaState } from './migrations.ts';
import { isConflict, postgresDialect, type PostgresBounds } from './postgres-dialect.ts';
import type { Db, Registry } from './registry.ts';
import type { RegistrySchema } from './schema.ts';
import { Turnstile } from './turnstile.ts';
import { RegistryUnavailableError } from './unavailable.ts';

const BOUNDS: PostgresBounds = { connectionsMax: 10, connectTimeoutMs: 5_000, statementTimeoutMs: 10_000 };
/** One connection that waits until another node's migration has ended, and for its own. */
const PATIENT: PostgresBounds = { ...BOUNDS, connectionsMax: 1, statementTimeoutMs: null };

/** How long a transaction is run again and again because others came between. */
const CONFLICT_WAIT_MS_MAX = 10_000;
const CONFLICT_PAUSE_MS_MAX = 50;
/**
 * Of those that meet at one row, such as a tenant's next index, one commits and all others begin anew: the fewer at
 * once, the less is done in vain, and the more connections are left to the lanes.
 */
const TRANSACTIONS_MAX = 3;
/** How long a transaction waits for its turn: less than a statement may take, so that a burst ends in answers. */
const TURN_WAIT_MS_MAX = 5_000;

/** "tachogra" as a number: what nodes lock while they migrate. */
const MIGRATION_LOCK = 0x74616368;

/**
 * Opens the registry in a PostgreSQL database, which any number of nodes share; made and migrated where that is
 * needed. `url` is `postgres://…`, with TLS as its `sslmode` says.
 *
 * @throws RegistryUnavailableError where the server cannot be reached or refuses the user; Error where its settings
 * could lose what was committed, or the schema is a newer release's
 */
export async function openPostgresRegistry(url: Secret): Promise<Registry> {
  await withDatabase(url, async (db) => {
    await refuseUnfit(db);
    await migrateAlone(db);
  });
  return registryAt(url);
}

/**
 * Opens the registry to look at it: nothing is made or migrated, so that nodes of another release go on with it.
 * @returns how its schema stands to this release's, where that is not the same
 * @throws as {@link openPostgresRegistry}
 */
export async function lookAtPostgresRegistry(
  url: Secret,
): Promise<Registry | Exclude<Awaited<ReturnType<typeof schemaState>>, 'present'>> {
  const state = await withDatabase(url, async (db) => {
    await refuseUnfit(db);
    return schemaState(db);
  });
  return state === 'present' ? registryAt(url) : state;
}

function registryAt(url: Secret): Registry {
  const db = new Kysely<RegistrySchema>({ dialect: postgresDialect(url, BOUNDS) });
  const turnstile = new Turnstile(TRANSACTIONS_MAX, TURN_WAIT_MS_MAX);
  return {
    db,
    transaction: (work, who) => {
      const run = () => untilAlone(() => db.transaction().setIsolationLevel('serializable').execute(work));
      return who === 'lane' ? run() : turnstile.pass(run);
    },
    // Each settlement begins with the row of its partition and so waits for the others of that partition: what it
    // then reads is settled, and nothing has to be run again.
    checkpoint: (work) =>
      untilAlone(() =>
        db
          .transaction()
          .setIsolationLevel('read committed')
          .execute(async (trx) => {
            await sql`set local synchronous_commit = off`.execute(trx);
            return work(trx);
          }),
      ),
    close: () => db.destroy(),
  };
}

async function withDatabase<T>(url: Secret, work: (db: Db) => Promise<T>): Promise<T> {
  const db = new Kysely<RegistrySchema>({ dialect: postgresDialect(url, PATIENT) });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Whoever comes meanwhile waits, and then finds nothing left to do. */
function migrateAlone(db: Db): Promise<void> {
  return migrate<RegistrySchema>(
    (work) =>
      db.transaction().execute(async (trx) => {
        await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(trx);
        return work(trx);
      }),
    POSTGRES_TYPES,
  );
}

const NEEDED = [
  { setting: 'fsync', is: (value: string) => value === 'on', expected: 'on' },
  { setting: 'full_page_writes', is: (value: string) => value === 'on', expected: 'on' },
  { setting: 'synchronous_commit', is: (value: string) => value !== 'off', expected: 'on' },
  { setting: 'server_encoding', is: (value: string) => value === 'UTF8', expected: 'UTF8' },
] as const;

/** A revocation that was answered must not be gone after a power cut, and no text may fail to be stored. */
async function refuseUnfit(db: Db): Promise<void> {
  for (const { setting, is, expected } of NEEDED) {
    const { rows } = await sql<{ value: string }>`select current_setting(${setting}) as value`.execute(db);
    const value = rows[0]?.value ?? '';
    if (!is(value)) throw new Error(`PostgreSQL's ${setting} is ${value}; the registry needs ${expected}`);
  }
}

/** Runs a transaction until no other comes between; its work begins anew each time, with nothing of it left behind. */
async function untilAlone<T>(run: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, CONFLICT_PAUSE_MS_MAX)) {
    try {
      return await run();
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (performance.now() - startedMs > CONFLICT_WAIT_MS_MAX) throw new RegistryUnavailableError(error);
    }
    // Those that met once do not meet again in step.
    await delay(Math.random() * pauseMs);
  }
}
