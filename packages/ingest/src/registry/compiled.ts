import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { Db } from './registry.ts';

/** By the adapter of the dialect whose SQL it is: a registry shares it with its transactions. */
const COMPILED = new WeakMap<object, Map<string, CompiledQuery>>();

/**
 * Runs a query whose SQL is made once: to build and to compile it costs more than to run it, and the append path runs
 * the same few for every request. `shape` names the SQL, `build` makes the query with `parameters` in it, and whether
 * they are in its order is compared when it is made.
 */
export async function runCompiled<R>(
  db: Db,
  shape: string,
  build: () => Compilable<R>,
  parameters: readonly unknown[],
): Promise<QueryResult<R>> {
  const { adapter } = db.getExecutor();
  const shapes = COMPILED.get(adapter) ?? new Map<string, CompiledQuery>();
  COMPILED.set(adapter, shapes);
  const known = shapes.get(shape) as CompiledQuery<R> | undefined;
  if (known !== undefined) return db.executeQuery<R>({ ...known, parameters });
  const made = build().compile();
  const isInOrder = made.parameters.every((parameter, i) => parameter === parameters[i]);
  if (!isInOrder || made.parameters.length !== parameters.length)
    throw new Error(`the parameters of "${shape}" are not in the order of its SQL`);
  shapes.set(shape, made);
  return db.executeQuery<R>(made);
}

/** The same for rows that are inserted together; all have the same members, in the same order. */
export async function insertCompiled<Row extends object>(
  trx: Db,
  table: string,
  rows: readonly Row[],
  build: (rows: readonly Row[]) => Compilable,
): Promise<void> {
  const parameters = rows.flatMap((row) => Object.values(row) as unknown[]);
  await runCompiled(trx, `${table} ${rows.length}`, () => build(rows), parameters);
}
