import { describe, expect, it } from '@jest/globals';
import {
  appendLeaves,
  EMPTY_RANGE,
  formatAppend,
  formatCheckpoint,
  leafHash,
  REQUEST_NOTE,
  rootOf,
  signNote,
  signStatement,
  utf8,
  type Bytes,
  type CompactRange,
} from '@tachograph/wire';
import { deviceOf } from '../../packages/wire/test/support.ts';
import { verifyAppend } from '../../packages/wire/test/verify-append.ts';

/** Flips that change nothing that matters, by append and bit, each with its reason. There are none. */
const HARMLESS: readonly { readonly append: string; readonly bit: number; readonly reason: string }[] = [];

/** Verifications under way at once: WebCrypto works on other threads. */
const PARALLEL = 256;

const device = await deviceOf(1);
const leafOf = (i: number) =>
  utf8(`{"id":"0198c0de-0000-7000-8000-00000000000${i}","action":"item.reveal","data":{"text":"ü€😀"}}`);
const base = appendLeaves(EMPTY_RANGE, [0, 1, 2, 3, 4].map(leafOf).map(leafHash));

/** A valid append of `leafCount` leaves behind `edge`, and the edge that it is checked against. */
async function appendOf(title: string, leafCount: number, withRequest: boolean, edge: CompactRange = base) {
  const leaves = Array.from({ length: leafCount }, (_, i) => leafOf(i));
  const range = appendLeaves(edge, leaves.map(leafHash));
  const { origin } = device;
  const checkpoint = await signNote(
    formatCheckpoint({ origin, size: range.size, root: rootOf(range) }),
    device,
  );
  const request = {
    origin,
    size: range.size,
    nonce: 'n0nce~',
    wallClock: 1_795_341_600_123,
    boot: 'b3f1',
    monotonicMs: 81234.5,
    pendingCount: leafCount,
    oldestPending: leafCount === 0 ? null : 1_795_341_599_000,
  };
  const requestNote = withRequest ? await signStatement(REQUEST_NOTE, request, device) : null;
  return { title, edge, body: formatAppend({ requestNote, old: edge.size, checkpoint, leaves }) };
}

const appends = [
  await appendOf('a request note and three leaves', 3, true),
  await appendOf('a request note and no leaf', 0, true),
  await appendOf('three leaves', 3, false),
  await appendOf('one leaf', 1, false),
  await appendOf('one leaf, the first of its log', 1, false, EMPTY_RANGE),
  await appendOf('nothing', 0, false),
];

async function acceptedFlips(body: Bytes, edge: CompactRange): Promise<number[]> {
  const accepted: number[] = [];
  for (let first = 0; first < body.length * 8; first += PARALLEL) {
    const bits = Array.from({ length: Math.min(PARALLEL, body.length * 8 - first) }, (_, i) => first + i);
    const verdicts = await Promise.all(
      bits.map((bit) => {
        const flipped = body.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        return verifyAppend(flipped, edge, device.key);
      }),
    );
    accepted.push(...bits.filter((_, i) => verdicts[i]!.ok));
  }
  return accepted;
}

describe.each(appends)('an append with $title', ({ title, body, edge }) => {
  it('is accepted as it is', async () => {
    expect(await verifyAppend(body, edge, device.key)).toMatchObject({ ok: true });
  });

  it('is refused with any one bit flipped (INV-19)', async () => {
    const harmless = HARMLESS.filter(({ append }) => append === title).map(({ bit }) => bit);
    expect(await acceptedFlips(body, edge)).toEqual(harmless);
  }, 120_000);
});
