import type { Bytes } from '@tachograph/wire';

const scratch = Buffer.alloc(32);

/** Lowercase hexadecimal of a hash, by way of one buffer for all: a buffer for each would be most of the cost. */
export function hex(hash: Bytes): string {
  scratch.set(hash);
  return scratch.toString('hex');
}
