import { derivedEventId, toBase64, type Bytes } from '@tachograph/wire';

/**
 * The id of an event that several may detect, each by itself, so that all of them report the same one: ingest
 * derives its ids by the same function of wire. Parts hold no LF.
 */
export function deterministicEventId(kind: string, ...parts: readonly (string | number)[]): string {
  return derivedEventId(kind, ...parts.map(String));
}

/** The id of `log.forked`: `size` and `root` are those of the checkpoint that was not accepted. */
export function forkEventId(origin: string, size: number, root: Bytes): string {
  return deterministicEventId('log.forked', origin, size, toBase64(root));
}

/** The id of `log.gap`: `size` and `root` are those of the edge from which reading went on. */
export function gapEventId(origin: string, size: number, root: Bytes): string {
  return deterministicEventId('log.gap', origin, size, toBase64(root));
}
