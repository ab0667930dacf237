import { describe, expect, it } from '@jest/globals';
import { resolveConflict, type ConflictFacts, type ConflictStep } from '../../src/core/conflict.ts';

const rows: [string, ConflictFacts, ConflictStep][] = [
  [
    'below the present receipt, not below the one held when sending',
    { size: 5, sentReceipt: 5, receipt: 9, head: 12 },
    'stale',
  ],
  ['between both receipts', { size: 7, sentReceipt: 5, receipt: 9, head: 12 }, 'stale'],
  ['above the head', { size: 13, sentReceipt: 5, receipt: 9, head: 12 }, 'rolled-back'],
  [
    'below the receipt held when sending',
    { size: 4, sentReceipt: 5, receipt: 9, head: 12 },
    'lost-by-ingest',
  ],
  ['nothing, though a receipt was held', { size: 0, sentReceipt: 5, receipt: 5, head: 12 }, 'lost-by-ingest'],
  ['at the receipt', { size: 9, sentReceipt: 9, receipt: 9, head: 12 }, 'compare-roots'],
  ['between receipt and head', { size: 10, sentReceipt: 9, receipt: 9, head: 12 }, 'compare-roots'],
  ['at the head', { size: 12, sentReceipt: 9, receipt: 9, head: 12 }, 'compare-roots'],
];

describe('a size that differs', () => {
  it.each(rows)('%s', (_, facts, step) => {
    expect(resolveConflict(facts)).toBe(step);
  });
});
