import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { sha256 as noble } from '@noble/hashes/sha2.js';
import { sha256, toHex, useSha256, utf8 } from '../src/index.ts';

function byNode(...parts: readonly Uint8Array[]): string {
  return parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
}

describe('SHA-256', () => {
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('gives the digest that NIST publishes for "%s"', (text, digest) => {
    expect(toHex(sha256(utf8(text)))).toBe(digest);
  });

  it('gives the digest that NIST publishes for a million times "a", larger than the shared buffer', () => {
    expect(toHex(sha256(utf8('a'.repeat(1_000_000))))).toBe(
      'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
    );
  });

  it('agrees with OpenSSL at every length up to four blocks, and around the end of the shared buffer', () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 131) >> 3);
    const lengths = [...Array(257).keys(), ...Array.from({ length: 140 }, (_, i) => 65_450 + i)];
    for (const length of lengths) {
      const message = bytes.subarray(0, length);
      expect([length, toHex(sha256(message))]).toEqual([length, byNode(message)]);
    }
  });

  it('hashes parts as the one message that they make, and nothing of an earlier, longer one', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), (parts) => {
        sha256(new Uint8Array(2_000).fill(0xff));
        expect(toHex(sha256(...parts))).toBe(byNode(...parts));
      }),
    );
  });

  it('comes from what a process has put in its place', () => {
    const asked: string[] = [];
    useSha256((message) => {
      asked.push(toHex(message));
      return createHash('sha256').update(message).digest();
    });
    try {
      expect(toHex(sha256(utf8('a'), utf8('bc')))).toBe(byNode(utf8('abc')));
    } finally {
      useSha256(noble);
    }
    expect(asked).toEqual([toHex(utf8('abc'))]);
  });

  it('gives a digest of its own at each call', () => {
    const first = sha256(utf8('abc'));
    const kept = toHex(first);
    sha256(utf8('abd'));
    expect(toHex(first)).toBe(kept);
    expect(first.buffer.byteLength).toBe(32);
  });
});
