import { concatBytes, fromBase64, isWellFormedRange, toBase64, type CompactRange } from '@tachograph/wire';

/** The `tachograph_edge` header: base64 of the size as u64 big-endian ‖ the hashes, left to right. */
export function formatEdge(range: CompactRange): string {
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(range.size));
  return toBase64(concatBytes(size, ...range.hashes));
}

/** The range in an edge header, or `null` where it is none. */
export function parseEdge(text: string): CompactRange | null {
  const bytes = fromBase64(text);
  if (bytes === null || bytes.length < 8 || bytes.length % 32 !== 8) return null;
  const size = Number(new DataView(bytes.buffer).getBigUint64(0));
  const hashes = Array.from({ length: (bytes.length - 8) / 32 }, (_, i) =>
    bytes.slice(8 + i * 32, 40 + i * 32),
  );
  const range = { size, hashes };
  return isWellFormedRange(range) ? range : null;
}
