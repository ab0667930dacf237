import { describe, expect, it } from '@jest/globals';
import {
  formatCheckpoint,
  formatTlogProof,
  inclusionProof,
  leafHash,
  parseCheckpointNote,
  parseTlogProof,
  proofIncludes,
  rootOfLeaves,
  signNote,
  toBase64,
  utf8,
  type TlogProof,
} from '../src/index.ts';
import { codeOf, deviceOf, faultOf, valueOf } from './support.ts';

const device = await deviceOf(1);
const leaves = ['a', 'b', 'c', 'd', 'e'].map((text) => leafHash(utf8(text)));
const source = await signNote(
  formatCheckpoint({ origin: device.origin, size: leaves.length, root: rootOfLeaves(leaves) }),
  device,
);
const checkpoint = valueOf(parseCheckpointNote(source));

function proofOf(index: number, extra?: Uint8Array<ArrayBuffer>): TlogProof {
  return { ...(extra ? { extra } : {}), index, hashes: inclusionProof(leaves, index), checkpoint };
}
const good = formatTlogProof(proofOf(2));

describe('a tlog-proof', () => {
  it('reads back, with and without extra data, also where that is empty', () => {
    for (const proof of [proofOf(0), proofOf(4), proofOf(1, utf8('extra')), proofOf(1, new Uint8Array())]) {
      const text = formatTlogProof(proof);
      expect(valueOf(parseTlogProof(text))).toEqual(proof);
      expect(formatTlogProof(valueOf(parseTlogProof(text)))).toBe(text);
    }
  });

  it('of a log with one leaf has no hashes', async () => {
    const root = rootOfLeaves(leaves.slice(0, 1));
    const one = await signNote(formatCheckpoint({ origin: device.origin, size: 1, root }), device);
    const proof = { index: 0, hashes: [], checkpoint: valueOf(parseCheckpointNote(one)) };
    const text = formatTlogProof(proof);
    expect(text).toBe(`c2sp.org/tlog-proof@v1\nindex 0\n\n${one}`);
    expect(proofIncludes(valueOf(parseTlogProof(text)), leaves[0]!)).toBe(true);
  });

  it('proves its own leaf and no other', () => {
    leaves.forEach((leaf, index) => {
      const proof = valueOf(parseTlogProof(formatTlogProof(proofOf(index))));
      leaves.forEach((other, at) => expect(proofIncludes(proof, other)).toBe(at === index));
      expect(proofIncludes({ ...proof, index: index + 5 }, leaf)).toBe(false);
    });
  });

  it.each([
    ['nothing', '', 'ERR_PROOF', undefined],
    ['no empty line before the checkpoint', good.replace('\n\n', '\n'), 'ERR_PROOF', 'hash'],
    ['no empty line at all', good.replaceAll('\n\n', '\n'), 'ERR_PROOF', undefined],
    ['another version', good.replace('@v1', '@v2'), 'ERR_PROOF', undefined],
    ['a line in front', `x\n${good}`, 'ERR_PROOF', undefined],
    ['a carriage return', good.replace('@v1', '@v1\r'), 'ERR_PROOF', undefined],
    ['no index', good.replace('index 2\n', ''), 'ERR_PROOF', 'index'],
    ['an index in capitals', good.replace('index', 'Index'), 'ERR_PROOF', 'index'],
    ['extra data behind the index', good.replace('index 2\n', 'index 2\nextra AAAA\n'), 'ERR_PROOF', 'hash'],
    ['extra data twice', good.replace('index', 'extra AAAA\nextra AAAA\nindex'), 'ERR_PROOF', 'index'],
    ['extra data without padding', good.replace('index', 'extra AA\nindex'), 'ERR_PROOF', 'extra'],
    ['an index with a leading zero', good.replace('index 2', 'index 02'), 'ERR_NUMBER', 'index'],
    ['a negative index', good.replace('index 2', 'index -2'), 'ERR_NUMBER', 'index'],
    ['an index of 2^53', good.replace('index 2', 'index 9007199254740992'), 'ERR_NUMBER', 'index'],
    ['a short hash', good.replace('index 2\n', 'index 2\nAAAA\n'), 'ERR_PROOF', 'hash'],
    [
      'a hash of 33 bytes',
      good.replace('index 2\n', `index 2\n${toBase64(new Uint8Array(33))}\n`),
      'ERR_PROOF',
      'hash',
    ],
    ['an unsigned checkpoint', good.slice(0, good.indexOf('\n\n—') + 1), 'ERR_NOTE', undefined],
    ['no checkpoint', good.slice(0, good.indexOf('\n\n') + 2), 'ERR_NOTE', undefined],
  ])('is refused with %s', (_, text, code, field) => {
    const fault = faultOf(parseTlogProof(text));
    expect(fault.code).toBe(code);
    expect(fault.field).toBe(field);
  });

  it('with a hash more, less or changed is well-formed and proves nothing', () => {
    const proof = proofOf(2);
    for (const hashes of [
      proof.hashes.slice(1),
      [...proof.hashes, leaves[0]!],
      proof.hashes.with(0, leaves[0]!),
    ]) {
      const text = formatTlogProof({ ...proof, hashes });
      expect(codeOf(parseTlogProof(text))).toBe('accepted');
      expect(proofIncludes(valueOf(parseTlogProof(text)), leaves[2]!)).toBe(false);
    }
  });
});
