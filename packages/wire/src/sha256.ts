import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from './bytes.ts';

/** SHA-256 (FIPS 180-4) of one message, synchronous. */
export type Sha256 = (message: Uint8Array) => Uint8Array;

let digest: Sha256 = nobleSha256;

/**
 * Puts another implementation in the place of the one that runs everywhere: a server has a faster one in its
 * runtime, which this package may not import. Call it once, where a process starts.
 */
export function useSha256(implementation: Sha256): void {
  digest = implementation;
}

// A tree hashes every event twice or more: messages up to this size are put together in one shared buffer.
const SHARED_BYTES = 64 * 1024;
const shared = /* @__PURE__ */ new Uint8Array(SHARED_BYTES);

/**
 * SHA-256 of `parts`, one after the other as one message. Synchronous: inside an IndexedDB transaction nothing else
 * may be awaited, and so no two messages are ever in the shared buffer at once.
 */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const message = length <= SHARED_BYTES ? shared.subarray(0, length) : new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  // A runtime may answer a view into a pool of its own; a hash that is kept for long must not keep the pool.
  return new Uint8Array(digest(message));
}
