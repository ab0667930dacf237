import { sql, type Kysely } from 'kysely';

/**
 * The schema's history. Statements are SQL that SQLite and PostgreSQL share, but for the names of the types,
 * which `types` gives. A version that has been released never changes.
 */
type ColumnTypes = { readonly bytes: string; readonly integer: string };

export const SQLITE_TYPES: ColumnTypes = { bytes: 'blob', integer: 'integer' };
export const POSTGRES_TYPES: ColumnTypes = { bytes: 'bytea', integer: 'bigint' };

const MIGRATIONS: readonly ((types: ColumnTypes) => readonly string[])[] = [
  ({ bytes, integer }) => [
    `create table tenants (id text primary key, name text not null, parent text, policy text not null,
       created_at ${integer} not null)`,
    `create table tenant_logs (tenant text primary key, device text not null, next_index ${integer} not null)`,
    `create table outbox (tenant text not null, leaf_index ${integer} not null, leaf ${bytes} not null,
       primary key (tenant, leaf_index))`,
    `create table devices (tenant text not null, device text not null, public_key ${bytes} not null,
       installation text not null, installation_label text, platform text, subject text, status text not null,
       lease_profile text, predecessor text, enrolled_at ${integer} not null, revoked_at ${integer},
       revocation_reason text, primary key (tenant, device))`,
    `create index devices_by_subject on devices (tenant, subject)`,
    `create table sightings (tenant text not null, device text not null, received_at ${integer} not null,
       pending_count ${integer} not null, oldest_pending_at ${integer}, wall_at ${integer} not null,
       boot text not null, monotonic_ms double precision not null, clock_offset_ms ${integer} not null,
       primary key (tenant, device))`,
    `create table heads (tenant text not null, device text not null, partition ${integer} not null,
       size ${integer} not null, range ${bytes} not null, checkpoint text, cosigned_seconds ${integer} not null,
       carried_from ${integer}, carried_count ${integer}, adopted_seconds ${integer},
       primary key (tenant, device))`,
    `create table windows (tenant text not null, device text not null, from_size ${integer} not null,
       to_size ${integer} not null, range ${bytes} not null, hashes ${bytes} not null,
       primary key (tenant, device, from_size))`,
    `create table cosigned (tenant text not null, device text not null, size ${integer} not null,
       time_seconds ${integer} not null, primary key (tenant, device, size, time_seconds))`,
    `create table rejections (tenant text not null, device text not null, leaf_index ${integer} not null,
       code text not null, primary key (tenant, device, leaf_index))`,
    `create table forks (tenant text not null, device text not null, id text not null,
       leaf_index ${integer} not null, accepted_checkpoint text not null, submitted_checkpoint text not null,
       differing text not null, detected_at ${integer} not null, primary key (tenant, device, id))`,
    `create table partitions (partition ${integer} primary key, settled_offset ${integer} not null,
       version ${integer} not null)`,
    `create table directives (id text primary key, tenant text not null, device text not null,
       note text not null, issued_at ${integer} not null, confirmed_at ${integer})`,
    `create index directives_by_device on directives (tenant, device)`,
    `create table enrolment_tokens (id text primary key, tenant text not null, hash ${bytes} not null unique,
       uses_left ${integer} not null, expires_at ${integer} not null, networks text, subject text,
       created_at ${integer} not null)`,
    `create table admin_tokens (id text primary key, hash ${bytes} not null unique, tenant text,
       created_at ${integer} not null)`,
  ],
  ({ bytes, integer }) => [
    `alter table tenants add column revoked_at ${integer}`,
    `alter table admin_tokens add column expires_at ${integer}`,
    `alter table sightings add column contact_gap_ms ${integer} not null default 0`,
    `alter table sightings add column dark_since ${integer}`,
    `create index devices_by_predecessor on devices (tenant, predecessor)`,
    `create table leases (tenant text not null, device text not null, blocks_at ${integer},
       wipes_at ${integer}, decision text not null, primary key (tenant, device))`,
    // What was granted before is not known exactly: 14 days from the last contact is the default until the wipe.
    `insert into leases (tenant, device, blocks_at, wipes_at, decision)
       select tenant, device, received_at + 1209600000, received_at + 1209600000, '' from sightings`,
    `create table exposures (tenant text not null, device text not null, hash ${bytes} not null,
       actor text not null, email text, target_type text not null, target_id text not null, target_name text,
       kinds ${integer} not null, marks ${integer} not null, first_at ${integer} not null,
       last_at ${integer} not null, primary key (tenant, device, hash))`,
    `create index exposures_by_actor on exposures (tenant, actor)`,
    `create index exposures_by_email on exposures (tenant, email)`,
    `create table exposure_overflows (tenant text not null, device text not null, since ${integer} not null,
       primary key (tenant, device))`,
    `create table exposure_positions (partition ${integer} primary key, next_offset ${integer} not null)`,
  ],
  ({ integer }) => [
    `alter table partitions add column mark text`,
    `alter table heads add column end_offset ${integer}`,
  ],
  ({ integer }) => [
    `alter table devices add column succession text`,
    `alter table devices add column log_closed_at ${integer}`,
    `alter table exposure_positions add column missed ${integer} not null default 0`,
  ],
];

const VERSION_KEY = 'schema_version';

/**
 * Brings the schema to the present version, one `transaction` a step. Where several processes share a registry, its
 * transactions must be such that two of these never run at the same time.
 * @throws where the registry was made by a newer release
 */
export async function migrate<Schema>(
  transaction: <T>(work: (trx: Kysely<Schema>) => Promise<T>) => Promise<T>,
  types: ColumnTypes,
): Promise<void> {
  while (!(await transaction((trx) => migrateStep(trx, types))));
}

/** How a registry's schema stands to this release's; `none` where there is no registry yet. Changes nothing. */
export async function schemaState<Schema>(
  db: Kysely<Schema>,
): Promise<'none' | 'older' | 'present' | 'newer'> {
  const tables = await db.introspection.getTables();
  if (!tables.some(({ name }) => name === 'meta')) return 'none';
  const version = await schemaVersion(db);
  if (version === MIGRATIONS.length) return 'present';
  return version < MIGRATIONS.length ? 'older' : 'newer';
}

async function schemaVersion<Schema>(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{
    value: string;
  }>`select value from meta where key = ${VERSION_KEY}`.execute(db);
  return Number(rows[0]?.value ?? 0);
}

/** @returns whether the schema is the present one */
async function migrateStep<Schema>(trx: Kysely<Schema>, types: ColumnTypes): Promise<boolean> {
  await sql`create table if not exists meta (key text primary key, value text not null)`.execute(trx);
  const version = await schemaVersion(trx);
  if (version > MIGRATIONS.length) {
    throw new Error(`the registry has schema ${version}; this release knows ${MIGRATIONS.length}`);
  }
  const step = MIGRATIONS[version];
  if (step === undefined) return true;
  for (const statement of step(types)) await sql.raw(statement).execute(trx);
  await sql`insert into meta (key, value) values (${VERSION_KEY}, ${String(version + 1)})
    on conflict (key) do update set value = excluded.value`.execute(trx);
  return false;
}
