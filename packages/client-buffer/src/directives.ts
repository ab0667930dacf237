import { openStatement, PURGE_NOTE, type PurgeStatement } from '@tachograph/wire';
import { raiseGate, type NewOrder } from './core/purge.ts';
import type { LogRow } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';

/** Notes of one answer that are looked at; the others come again with the next one. */
const NOTES_MAX = 64;

/**
 * Takes the purge directives of an answer. The directive key has to have signed them, for this log or one that it
 * succeeded. Their gate is raised and the cache keys go in one transaction; what follows is the purger's.
 */
export async function takeDirectives(parts: CoreParts, notes: readonly string[]): Promise<void> {
  if (notes.length === 0) return;
  const { state, adapters, report } = parts;
  const keys = await parts.trust.directors();
  const orders: NewOrder[] = [];
  for (const note of notes.slice(0, NOTES_MAX)) {
    // A newer server may have orders of a kind that is not known here yet.
    if (!note.startsWith(`${PURGE_NOTE.name}\n`)) continue;
    const opened = await openStatement(PURGE_NOTE, note, keys);
    if (!opened.ok) report({ code: opened.fault.code, detail: 'a directive did not verify; ignored' });
    else if (!isOurs(opened.value, state.rows.log))
      report({ code: 'ERR_ORIGIN_MISMATCH', detail: 'a directive for another log; ignored' });
    else orders.push(orderOf(opened.value));
  }
  const raised = await state.transact(({ rows }) => {
    let { cache } = rows;
    const dropCacheKeys: string[] = [];
    for (const order of orders) {
      const gate = raiseGate(cache, order);
      if (gate === null) continue;
      cache = gate.cache;
      dropCacheKeys.push(...gate.dropKeys);
    }
    return cache === rows.cache ? { result: false } : { result: true, rows: { cache }, dropCacheKeys };
  });
  if (raised) adapters.tabs.announce();
}

function orderOf({ id, scopes, reason }: PurgeStatement): NewOrder {
  return { id, directive: id, scopes, reason };
}

/** A successor goes on in the same installation, over the same cache: what was ordered before it still holds. */
function isOurs({ origin }: PurgeStatement, log: LogRow | null): boolean {
  return (
    log !== null && (log.origin === origin || log.lineage.some((ancestor) => ancestor.origin === origin))
  );
}
