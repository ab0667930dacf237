import { sha256, toBase64, utf8, type Target } from '@tachograph/wire';
import type { CacheHolding } from '../offline-types.ts';
import type { OwnLeaf } from './own-leaves.ts';

/** The most that an event may name, and what of a leaf is left for them. */
const TARGETS_MAX = 64;
const TARGETS_BYTES_MAX = 24 * 1024;

export type Inventory = {
  /** Names what is held, to know whether it has changed; `null` for nothing. */
  readonly name: string | null;
  readonly leaves: readonly OwnLeaf[];
};

/** What is held, as events: by person, since those who leave are asked for what they held; each with what fits. */
export function inventoryOf(holdings: readonly CacheHolding[]): Inventory {
  const held = holdings.filter(({ targets }) => targets.length > 0);
  if (held.length === 0) return { name: null, leaves: [{ action: 'cache.inventory', data: { held: 0 } }] };
  return {
    name: toBase64(sha256(utf8(JSON.stringify(held)))),
    leaves: held.flatMap(({ actor, targets }) => {
      const parts = portions(targets);
      return parts.map((own, part) => ({
        action: 'cache.inventory',
        actor,
        targets: own,
        data: { held: targets.length, part: part + 1, parts: parts.length },
      }));
    }),
  };
}

function portions(targets: readonly Target[]): Target[][] {
  const found: Target[][] = [];
  let left = 0;
  for (const target of targets) {
    const bytes = utf8(JSON.stringify(target)).length + 1;
    let last = found[found.length - 1];
    if (last === undefined || last.length >= TARGETS_MAX || bytes > left) {
      found.push((last = []));
      left = TARGETS_BYTES_MAX;
    }
    last.push(target);
    left -= bytes;
  }
  return found;
}
