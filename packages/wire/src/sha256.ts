import type { Bytes } from './bytes.ts';

// Bytes of one block that a message is padded to.
const BLOCK = 64;
// A tree hashes every event twice or more: messages up to this size share one buffer instead of making one each.
const SHARED_BYTES = 64 * 1024;

/**
 * SHA-256 (FIPS 180-4) of `parts`, one after the other as one message. Synchronous: inside an IndexedDB transaction
 * nothing else may be awaited. Written out here because a burst spends most of its time in it, and the libraries make
 * several objects a call: for the short messages of a tree this takes less than half of their time.
 */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  // The message, a one bit, zeroes, and the message's length in bits as a 64-bit number (section 5.1.1).
  const end = Math.ceil((length + 9) / BLOCK) * BLOCK;
  const view = end <= SHARED_BYTES ? shared : new DataView(new ArrayBuffer(end));
  const bytes = new Uint8Array(view.buffer);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes[at] = 0x80;
  bytes.fill(0, at + 1, end - 8);
  view.setUint32(end - 8, Math.floor(length / 0x20000000));
  view.setUint32(end - 4, length << 3);
  state.set(INITIAL);
  for (let block = 0; block < end; block += BLOCK) compress(view, block);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i++) digest[i] = state[i >> 2]! >>> (24 - (i & 3) * 8);
  return digest;
}

// Nothing here is awaited, so no two messages are ever in these at once.
const shared = /* @__PURE__ */ new DataView(new ArrayBuffer(SHARED_BYTES));
const state = /* @__PURE__ */ new Int32Array(8);
const schedule = /* @__PURE__ */ new Int32Array(64);

/** One round of the compression function over the block at `at` (section 6.2.2), in 32-bit integers throughout. */
function compress(message: DataView, at: number): void {
  const w = schedule;
  for (let i = 0; i < 16; i++) w[i] = message.getInt32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const sigma0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const sigma1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + w[i - 7]! + sigma0 + sigma1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const choice = g ^ (e & (f ^ g));
    const t1 = (h + sum1 + choice + ROUND[i]! + w[i]!) | 0;
    const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const majority = (a & b) | (c & (a | b));
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + sum0 + majority) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

// The first 32 bits of the fractional parts of the square roots of the first 8 primes (section 5.3.3).
// prettier-ignore
const INITIAL = /* @__PURE__ */ Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);

// The same of the cube roots of the first 64 primes (section 4.2.2).
// prettier-ignore
const ROUND = /* @__PURE__ */ Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);
