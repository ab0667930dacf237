import { concatBytes, type Bytes, type CompactRange } from '@tachograph/wire';

const HASH_BYTES = 32;

/** Hashes as one column holds them: one after the other. */
export function packHashes(hashes: readonly Bytes[]): Bytes {
  return concatBytes(...hashes);
}

/** @throws where the column is cut: the registry is damaged */
export function unpackHashes(column: Uint8Array): Bytes[] {
  if (column.length % HASH_BYTES !== 0) throw new Error('a column of hashes is cut');
  const hashes: Bytes[] = [];
  for (let at = 0; at < column.length; at += HASH_BYTES) hashes.push(column.slice(at, at + HASH_BYTES));
  return hashes;
}

export function unpackRange(size: number, column: Uint8Array): CompactRange {
  return { size, hashes: unpackHashes(column) };
}
