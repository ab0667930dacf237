import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { publicJwk, utf8, type Bytes } from '@tachograph/wire';
import { generateEd25519 } from '@tachograph/wire';
import { isStrongPublicKey } from '../../src/core/ed25519-key.ts';

function fromHex(hex: string): Bytes {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** The public keys of RFC 8032, section 7.1. */
const HONEST = [
  'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
];

/** All points whose order divides eight, in their canonical encodings. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];

/** A second spelling of a point: the sign of x = 0, or y not below 2^255 − 19. */
const NON_CANONICAL = [
  '0100000000000000000000000000000000000000000000000000000000000080',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

describe('a public key', () => {
  it.each(HONEST)('%s of RFC 8032 is strong', (hex) => {
    expect(isStrongPublicKey(fromHex(hex))).toBe(true);
  });

  it('that was just made is strong', async () => {
    for (let i = 0; i < 8; i++) {
      expect(isStrongPublicKey((await generateEd25519(false)).publicKey)).toBe(true);
    }
  });

  it.each(SMALL_ORDER)('%s of small order is not', (hex) => {
    expect(isStrongPublicKey(fromHex(hex))).toBe(false);
  });

  it.each(NON_CANONICAL)('%s in a second spelling is not', (hex) => {
    expect(isStrongPublicKey(fromHex(hex))).toBe(false);
  });

  it('that is no point of the curve, or not 32 bytes long, is not', () => {
    expect(isStrongPublicKey(fromHex(`02${'00'.repeat(31)}`))).toBe(false);
    expect(isStrongPublicKey(fromHex(HONEST[0]!).slice(1))).toBe(false);
  });

  it('with a part of small order is not: verifiers would disagree about its signatures', () => {
    // The point of RFC 8032's first key plus the point of order two, (0, −1): (−x, −y).
    const y = BigInt(`0x${Buffer.from(HONEST[0]!, 'hex').reverse().toString('hex')}`) & (2n ** 255n - 1n);
    const negated = 2n ** 255n - 19n - y;
    // −x has the other sign than x, whose own is 0 here.
    const mixed = (negated | (1n << 255n)).toString(16).padStart(64, '0');
    expect(isStrongPublicKey(new Uint8Array(Buffer.from(mixed, 'hex').reverse()))).toBe(false);
  });

  it('of small order would verify on any message, which is why it is asked', () => {
    const key = createPublicKey({ key: publicJwk(fromHex(SMALL_ORDER[0]!)), format: 'jwk' });
    const forged = new Uint8Array(64);
    forged[0] = 1;
    expect(verify(null, utf8('whatever anybody writes'), key, forged)).toBe(true);
  });
});
