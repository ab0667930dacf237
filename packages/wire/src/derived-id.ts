import { toHex, utf8 } from './bytes.ts';
import type { Checkpoint } from './checkpoint.ts';
import { toBase64 } from './base64.ts';
import { sha256 } from './sha256.ts';

/**
 * A UUID (version 8, RFC 9562 section 5.8) that depends on nothing but its arguments: whoever detects the same
 * fact reports it under the same event id, and readers see it once. It is made from the SHA-256 of the arguments,
 * each followed by a line feed; none of them holds one.
 */
export function derivedEventId(action: string, ...facts: readonly string[]): string {
  const hash = sha256(utf8([action, ...facts, ''].join('\n'))).slice(0, 16);
  hash[6] = (hash[6]! & 0x0f) | 0x80;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = toHex(hash);
  return [0, 8, 12, 16, 20].map((from, i, all) => hex.slice(from, all[i + 1] ?? 32)).join('-');
}

/** The id of the `log.forked` event about a checkpoint that the device signed and that does not follow. */
export function forkEventId({ origin, size, root }: Checkpoint): string {
  return derivedEventId('log.forked', origin, String(size), toBase64(root));
}
