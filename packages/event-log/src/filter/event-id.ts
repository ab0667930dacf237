import { sha256, toBase64, toHex, utf8, type Bytes } from '@tachograph/wire';

/**
 * The id of an event that several may detect, each by itself: a UUID of version 8 (RFC 9562, section 5.8) from the
 * SHA-256 of `parts`, so that all of them report the same event. Parts hold no LF.
 */
export function deterministicEventId(...parts: readonly (string | number)[]): string {
  const bytes = sha256(utf8(parts.map((part) => `${part}\n`).join(''))).slice(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The id of `log.forked`: `size` and `root` are those of the checkpoint that was not accepted. */
export function forkEventId(origin: string, size: number, root: Bytes): string {
  return deterministicEventId('log.forked', origin, size, toBase64(root));
}

/** The id of `log.gap`: `size` and `root` are those of the edge from which reading went on. */
export function gapEventId(origin: string, size: number, root: Bytes): string {
  return deterministicEventId('log.gap', origin, size, toBase64(root));
}
