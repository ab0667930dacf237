import type { Bytes, DeviceId, Origin, SuccessionReason } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import { advance, leavesFrom, packBlocks, type Block } from '../../src/core/blocks.ts';
import { EMPTY_CACHE } from '../../src/core/cache-row.ts';
import { finishOrder, raiseGate } from '../../src/core/purge.ts';
import { EMPTY_ROWS, newLog, START, type LogRow, type Rows } from '../../src/core/rows.ts';
import { planSuccessor } from '../../src/core/successor.ts';

const OLD = 'old' as DeviceId;
const NEW = 'new' as DeviceId;
const NOW = Date.parse('2026-11-22T10:00:00Z');
const encode = (text: string): Bytes => new TextEncoder().encode(text);
const leaves = ['a', 'b', 'honest-1', 'honest-2', 'honest-3'].map(encode);

/** A log with a receipt for its first two entries. */
const log: LogRow = {
  ...newLog({ device: OLD, origin: 'a/t/old' as Origin, publicKey: encode('') }, NOW - 1_000),
  base: advance(START, leaves.slice(0, 2)),
  head: advance(START, leaves),
};

function succeed(reason: SuccessionReason, blocks: readonly Block[], more: Partial<Rows> = {}) {
  const change = planSuccessor(
    { rows: { ...EMPTY_ROWS, log, ...more }, blocks },
    {
      from: OLD,
      identity: { device: NEW, publicKey: encode(''), privateKey },
      origin: 'a/t/new' as Origin,
      reason,
      note: '',
      nowMs: NOW,
      openedLeaf: ({ carriedFrom, count }) => encode(`opened ${carriedFrom} ${count}`),
      gapLeaf: (gap) => encode(`gap ${gap.count} ${gap.reason}`),
    },
  );
  const written = leavesFrom(change.append ?? [], 0) ?? [];
  return {
    written: written.map((leaf) => new TextDecoder().decode(leaf)),
    lost: change.rows?.totals?.lost,
    carried: change.rows?.log?.lineage[0]?.count,
    rows: change.rows,
  };
}

const { privateKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);

describe('planSuccessor', () => {
  it.each(['fork', 'rollback'] as const)(
    '%s: carries what leads to the old head, byte for byte',
    (reason) => {
      expect(succeed(reason, packBlocks(OLD, 0, leaves))).toMatchObject({
        written: ['opened 2 3', 'honest-1', 'honest-2', 'honest-3'],
        lost: 0,
        carried: 3,
      });
    },
  );

  it('leaves the lease as it is, so that the cache still ends with it', () => {
    expect(succeed('fork', packBlocks(OLD, 0, leaves)).rows).not.toHaveProperty('lease');
  });

  it.each(['fork', 'rollback', 'corrupt'] as const)(
    '%s: entries edited in storage are not carried, but declared as a gap (INV-03)',
    (reason) => {
      const edited = leaves.with(3, encode('forged-2'));
      expect(succeed(reason, packBlocks(OLD, 0, edited))).toMatchObject({
        written: ['opened 2 0', `gap 3 ${reason}`],
        lost: 3,
        carried: 0,
      });
    },
  );

  it.each([
    ['the last entry is missing', leaves.slice(0, 4)],
    ['an entry was added', [...leaves, encode('forged-4')]],
  ])('fork: carries nothing where %s (INV-03)', (_, stored) => {
    const { written, lost } = succeed('fork', packBlocks(OLD, 0, stored));
    expect(written).toEqual(['opened 2 0', 'gap 3 fork']);
    expect(lost).toBe(3);
  });

  const order = { id: 'p', directive: 'p', scopes: ['*'], reason: 'left' };
  const gated = raiseGate(EMPTY_CACHE, order)!.cache;

  it('takes no gate down, counts no lease that was asked for by the old log, and opens no closed one', () => {
    const more = { cache: gated, log: { ...log, closed: true } as const };
    const { rows } = succeed('fork', packBlocks(OLD, 0, leaves), more);
    expect(rows).toMatchObject({
      log: { closed: true },
      cache: { orders: [{ id: 'p' }], blocked: ['*'], epoch: gated.epoch + 1 },
    });
  });

  it('remembers what was carried out, unless its report may be among what was lost', () => {
    const cache = finishOrder(gated, 'p')!.cache;
    expect(succeed('fork', packBlocks(OLD, 0, leaves), { cache }).rows?.cache?.done).toEqual(['p']);
    expect(succeed('corrupt', packBlocks(OLD, 0, leaves), { cache }).rows?.cache?.done).toEqual([]);
  });
});
