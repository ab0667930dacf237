import type { Db, Registry } from '../src/registry/registry.ts';

/** A registry that runs every transaction twice, as a conflict with another node makes it: the first is undone. */
export function rerun(registry: Registry): Registry {
  const twice =
    (run: Registry['transaction']): Registry['transaction'] =>
    async <T>(work: (trx: Db) => Promise<T>): Promise<T> => {
      const undone = new Error('undone');
      await run(async (trx) => {
        await work(trx);
        throw undone;
      }).catch((error: unknown) => {
        if (error !== undone) throw error;
      });
      return run(work);
    };
  return { ...registry, transaction: twice(registry.transaction), checkpoint: twice(registry.checkpoint) };
}
