import {
  appendLeaves,
  EMPTY_RANGE,
  leafHash,
  parseDeviceId,
  rootOf,
  toBase64Url,
  toHex,
  utf8,
} from '@tachograph/wire';
import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { leavesFrom, packBlocks } from '../../src/core/blocks.ts';
import { ReplaySession } from '../../src/core/replay-session.ts';
import { START } from '../../src/core/rows.ts';

const parsed = parseDeviceId(toBase64Url(new Uint8Array(32)));
if (!parsed.ok) throw new Error('device');
const device = parsed.value;
const leafList = fc.array(
  fc.string({ maxLength: 60 }).map((text) => utf8(text.replaceAll('\n', ' '))),
  {
    maxLength: 80,
  },
);

describe('a replay session', () => {
  it('cuts into batches within the limits that join into the log, however the leaves arrive', () => {
    fc.assert(
      fc.property(
        leafList,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 70, max: 400 }),
        fc.nat(7),
        (leaves, leavesMax, bytesMax, portion) => {
          const session = new ReplaySession(device, START, { leavesMax, bytesMax });
          for (let i = 0; i < leaves.length; i += portion + 1) session.take(leaves.slice(i, i + portion + 1));
          expect(session.after(0)).toBeNull();
          session.verified();
          let at = START;
          for (let next = session.after(0); next !== null; next = session.after(at.range.size)) {
            const batch = leaves.slice(at.range.size, next.range.size);
            expect(batch.length).toBeLessThanOrEqual(leavesMax);
            expect(next.bytes - at.bytes).toBeLessThanOrEqual(bytesMax);
            expect(rootOf(appendLeaves(at.range, batch.map(leafHash)))).toEqual(rootOf(next.range));
            at = next;
          }
          expect(at.range).toEqual(appendLeaves(EMPTY_RANGE, leaves.map(leafHash)));
        },
      ),
    );
  });
});

describe('blocks', () => {
  it('give back the leaves from any index on', () => {
    fc.assert(
      fc.property(leafList, fc.nat(80), (leaves, from) => {
        const blocks = packBlocks(device, 0, leaves);
        const start = Math.min(from, leaves.length);
        const found = leavesFrom(
          blocks.filter(({ end }) => end > start),
          start,
        );
        expect(found?.map(toHex)).toEqual(leaves.slice(start).map(toHex));
      }),
    );
  });

  it('with a hole, or with fewer leaves than they say, are damaged', () => {
    const leaves = Array.from({ length: 6 }, () => new Uint8Array(30_000).fill(65));
    const [a, b, c] = packBlocks(device, 0, leaves);
    expect(leavesFrom([a!, c!], 0)).toBeNull();
    expect(leavesFrom([b!], 0)).toBeNull();
    expect(leavesFrom([{ ...a!, bytes: a!.bytes.slice(0, -1) }], 0)).toBeNull();
    expect(leavesFrom([{ ...a!, bytes: a!.bytes.slice(0, 30_001) }], 0)).toBeNull();
  });
});
