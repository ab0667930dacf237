import { PostgresDialect, type Dialect, type PostgresPoolClient, type PostgresQueryResult } from 'kysely';
import { DatabaseError, Pool, types, type PoolClient, type QueryResult } from 'pg';
import type { Secret } from '../secret.ts';
import { strictUrl } from './postgres-url.ts';
import { storable } from './storable.ts';
import { RegistryUnavailableError } from './unavailable.ts';

export type PostgresBounds = {
  readonly connectionsMax: number;
  /** For a connection to be made, or to come free. */
  readonly connectTimeoutMs: number;
  /** For one statement, its wait for locks included; `null` waits as long as it takes. */
  readonly statementTimeoutMs: number | null;
};

/**
 * How long a transaction may be idle before the server ends it. A node that was stopped in the middle of one holds
 * its locks for as long: others wait, and then go on without it.
 */
const IDLE_IN_TRANSACTION_MS_MAX = 5_000;
/** Beyond the server's own bound: it answers nothing any more, or the network has swallowed the answer. */
const SILENCE_MS = 2_000;

/** Kysely over a pool of connections that is the dialect's own. */
export function postgresDialect(url: Secret, bounds: PostgresBounds): Dialect {
  const { statementTimeoutMs: statementMs } = bounds;
  const pool = new Pool({
    connectionString: strictUrl(url.reveal()),
    application_name: 'tachograph',
    max: bounds.connectionsMax,
    connectionTimeoutMillis: bounds.connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
    ...(statementMs === null
      ? {}
      : { statement_timeout: statementMs, query_timeout: statementMs + SILENCE_MS }),
    types: { getTypeParser: parserOf },
  });
  // An idle connection that breaks has left the pool already; whoever needs one next makes it, or is told why not.
  pool.on('error', () => undefined);
  return new PostgresDialect({
    pool: {
      connect: async () => new GuardedClient(await connected(pool)),
      end: () => pool.end(),
    },
  });
}

async function connected(pool: Pool): Promise<PoolClient> {
  try {
    const client = await pool.connect();
    // While a connection is out of the pool its break is an event too; the query under way is told by its rejection.
    if (client.listenerCount('error') === 0) client.on('error', () => undefined);
    return client;
  } catch (error) {
    throw new RegistryUnavailableError(error);
  }
}

/** A connection that tells what the server cannot do now from what it never will, and is not used again after. */
class GuardedClient implements PostgresPoolClient {
  readonly #client: PoolClient;
  #broken: RegistryUnavailableError | null = null;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: R): R;
  query<R>(sql: string | R, parameters?: readonly unknown[]): Promise<PostgresQueryResult<R>> | R {
    if (typeof sql !== 'string') throw new Error('the registry does not stream');
    return this.#query<R>(sql, parameters ?? []);
  }

  async #query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    const { command, rowCount, rows } = await this.#answered(sql, parameters);
    // PostgreSQL answers so, and with no error, where a statement of the transaction had failed.
    if (sql === 'commit' && command !== 'COMMIT') throw new Error('the transaction was rolled back');
    return { command: commandOf(command), rowCount: rowCount ?? 0, rows: rows as R[] };
  }

  async #answered(sql: string, parameters: readonly unknown[]): Promise<QueryResult> {
    // After silence the connection may still be owed an answer: a rollback would wait behind it.
    if (this.#broken !== null) throw this.#broken;
    try {
      return await this.#client.query(
        sql,
        parameters.map((parameter) => storable(parameter)),
      );
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#broken = new RegistryUnavailableError(error);
      throw this.#broken;
    }
  }

  release(): void {
    this.#client.release(this.#broken ?? undefined);
  }
}

type Command = PostgresQueryResult<unknown>['command'];

/** Kysely looks at the commands that change rows, and takes any other for a query. */
function commandOf(command: string): Command {
  return command === 'INSERT' || command === 'UPDATE' || command === 'DELETE' || command === 'MERGE'
    ? command
    : 'SELECT';
}

const parserOf: typeof types.getTypeParser = (oid, format) => {
  if (oid === types.builtins.INT8) return safeInteger;
  // A plain array over its own memory, as from SQLite: a Buffer's slices share theirs.
  if (oid === types.builtins.BYTEA)
    return (text: string) => new Uint8Array(Buffer.from(text.slice('\\x'.length), 'hex'));
  return types.getTypeParser(oid, format);
};

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond what a number holds`);
  return value;
}

/**
 * Classes and codes that say what the server cannot do now, whatever was asked: connection, authentication, database,
 * resources, operator, system; read-only, lock and transaction time-outs (PostgreSQL, Appendix A).
 */
const UNAVAILABLE = /^(08|28|3D|53|57|58|25006$|25P03$|25P04$|55P03$)/;
/** Another transaction came between: `serialization_failure` and `deadlock_detected`. */
const CONFLICT: ReadonlySet<string> = new Set(['40001', '40P01']);

/** Whether the same transaction may be run again at once. */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state !== null && CONFLICT.has(state);
}

function isUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null) return UNAVAILABLE.test(state);
  // What is neither the server's answer nor a bug of ours comes from the connection, often without a code.
  return !(error instanceof TypeError || error instanceof RangeError);
}

/** The five characters that PostgreSQL names an error with, or `null` where the error is not the server's. */
function sqlState(error: unknown): string | null {
  if (!(error instanceof DatabaseError)) return null;
  return error.code ?? null;
}
