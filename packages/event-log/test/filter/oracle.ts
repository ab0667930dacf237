import { rootOf } from '@tachograph/wire';
import { forkEventId, gapEventId } from '../../src/index.ts';
import { rangeOf, type TestAppend } from './topic.ts';

/** What must come out for one append. `alarm` is what it raises the first time. */
export type Verdict = {
  readonly outcome: 'accepted' | 'duplicate' | 'stale' | 'fork';
  readonly delivered: readonly string[];
  readonly alarm: {
    readonly kind: string;
    readonly id: string;
    readonly to: number;
    readonly fromMax: number;
  } | null;
};

type Known = { leaves: readonly string[]; windowStart: number; adoptedSeconds: number };

/**
 * The filter's rules over plain lists of leaves, without trees, windows, stored state or memory limits: what the
 * documentation says, slowly.
 */
export class Oracle {
  readonly #known = new Map<string, Known>();

  /** The log of a device as far as it was accepted. */
  leaves(origin: string): readonly string[] {
    return this.#known.get(origin)?.leaves ?? [];
  }

  judge(append: TestAppend): Verdict {
    const { origin, leaves, from } = append;
    const known = this.#known.get(origin);
    const vouched = append.vouch === 'good' && secondsOf(append) >= (known?.adoptedSeconds ?? 0);
    const tip = known?.leaves.length ?? 0;
    const differs = firstDifference(known?.leaves ?? [], leaves);
    const agrees = differs >= Math.min(from, tip);

    if (from > tip) {
      if (!vouched) return { outcome: 'stale', delivered: [], alarm: null };
      return this.#adopt(append, known === undefined ? null : tip);
    }
    if (from < tip && from < known!.windowStart) return { outcome: 'stale', delivered: [], alarm: null };
    if (!agrees) return vouched ? this.#adopt(append, differs) : this.#fork(append, differs);
    if (differs < Math.min(tip, leaves.length)) return this.#fork(append, differs);
    if (leaves.length <= tip) return { outcome: 'duplicate', delivered: [], alarm: null };
    this.#known.set(origin, {
      leaves,
      windowStart: known?.windowStart ?? 0,
      adoptedSeconds: known?.adoptedSeconds ?? 0,
    });
    return { outcome: 'accepted', delivered: leaves.slice(tip), alarm: null };
  }

  /** Goes on from an edge that ingest vouches for. `missingFrom` is `null` where nothing was known before. */
  #adopt(append: TestAppend, missingFrom: number | null): Verdict {
    const { origin, leaves, from } = append;
    this.#known.set(origin, { leaves, windowStart: from, adoptedSeconds: secondsOf(append) });
    const id = gapEventId(origin, from, rootOf(rangeOf(leaves.slice(0, from))));
    const alarm = missingFrom === null ? null : { kind: 'log.gap', id, to: from, fromMax: missingFrom };
    return { outcome: 'accepted', delivered: leaves.slice(from), alarm };
  }

  #fork({ origin, leaves }: TestAppend, differs: number): Verdict {
    const id = forkEventId(origin, leaves.length, rootOf(rangeOf(leaves)));
    const alarm = { kind: 'log.forked', id, to: leaves.length, fromMax: differs };
    return { outcome: 'fork', delivered: [], alarm };
  }
}

function secondsOf({ cosignedSeconds = 0 }: TestAppend): number {
  return cosignedSeconds;
}

function firstDifference(a: readonly string[], b: readonly string[]): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  return i;
}

/** Where the filter must forget as it does: the newest 16 alarms of a device are raised once. */
export class RaisedOnce {
  readonly #raised = new Map<string, string[]>();

  isNew(origin: string, id: string): boolean {
    const raised = this.#raised.get(origin) ?? [];
    if (raised.includes(id)) return false;
    this.#raised.set(origin, [...raised, id].slice(-16));
    return true;
  }
}
