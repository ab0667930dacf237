import { utf8, type Bytes } from '@tachograph/wire';

const CHUNK_BYTES = 64 * 1024;
/** The longest that one UTF-16 code unit gets in UTF-8. */
const BYTES_PER_UNIT_MAX = 3;

/**
 * UTF-8 of one leaf after the other, in chunks that they share: an array of its own for each costs more than writing it.
 * What it answers is a view: it is copied into a block or sent, and not kept.
 */
export function leafEncoder(): (text: string) => Bytes {
  const encoder = new TextEncoder();
  let chunk: Bytes = new Uint8Array();
  let at = 0;
  return (text) => {
    const bytesMax = text.length * BYTES_PER_UNIT_MAX;
    if (bytesMax > CHUNK_BYTES) return utf8(text);
    if (at + bytesMax > chunk.length) {
      // The old one goes with the last leaf that stands in it.
      chunk = new Uint8Array(CHUNK_BYTES);
      at = 0;
    }
    const { written } = encoder.encodeInto(text, chunk.subarray(at));
    const leaf = chunk.subarray(at, at + written);
    at += written;
    return leaf;
  };
}
