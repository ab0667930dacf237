import {
  appendLeaves,
  cosignatureTime,
  EMPTY_RANGE,
  formatCheckpoint,
  formatSignatureLine,
  leafHash,
  rootOf,
  toBase64,
  utf8,
  type Bytes,
  type CheckpointNote,
  type CompactRange,
  type Origin,
} from '@tachograph/wire';
import { formatEdge, HEADER, type StoredRecord } from '../../src/index.ts';

/** The origin of a test's device. Its id is the thumbprint's form, not a real thumbprint. */
export function originOfDevice(device: number): Origin {
  return `audit.example.com/acme/${'A'.repeat(42)}${'AEIMQUYc'[device]!}` as Origin;
}

/** A leaf that starts so is one that a predecessor delivered. */
export const CARRIED = 'carried ';

/** One append of a test: `leaves` is the device's whole log up to the append's end, [from, …) what is appended. */
export type TestAppend = {
  readonly origin: Origin;
  readonly leaves: readonly string[];
  readonly from: number;
  /** The receipt in the first record: none, one with a good or a forged cosignature, or one about another size. */
  readonly vouch: 'none' | 'good' | 'forged' | 'other';
  /** When the receipt was cosigned, POSIX seconds. */
  readonly cosignedSeconds?: number;
};

/** Tests hash the same leaves over and over. */
const leafHashes = new Map<string, Bytes>();

function hashOf(leaf: string): Bytes {
  const hash = leafHashes.get(leaf) ?? leafHash(utf8(leaf));
  leafHashes.set(leaf, hash);
  return hash;
}

export function rangeOf(leaves: readonly string[]): CompactRange {
  return appendLeaves(EMPTY_RANGE, leaves.map(hashOf));
}

/** A note with signatures of the right form; `name` says who pretends to have signed. */
function note(origin: Origin, { size, hashes }: CompactRange, name: string, seconds = 0): string {
  const text = formatCheckpoint({ origin, size, root: rootOf({ size, hashes }) });
  const signature = new Uint8Array(72).fill(size % 256);
  new DataView(signature.buffer).setBigUint64(0, BigInt(seconds));
  return `${text}\n${formatSignatureLine({ name, keyId: Uint8Array.of(1, 2, 3, 4), signature })}`;
}

/** Stands for a cosignature check: good where `ingest` signed. */
export async function receiptSeconds(checkpoint: CheckpointNote): Promise<number | null> {
  const line = checkpoint.note.signatures.find(({ name }) => name === 'audit.example.com/ingest');
  return line === undefined ? null : cosignatureTime(line.signature);
}

/** The records of an append as ingest writes them, from `offset` on. */
export function recordsOf(append: TestAppend, offset: number): StoredRecord[] {
  const { origin, leaves, from, vouch } = append;
  const checkpoint = note(origin, rangeOf(leaves), origin);
  return leaves.slice(from).map((leaf, i, fresh) => ({
    partition: 0,
    offset: offset + i,
    key: 'acme/installation',
    value: utf8(leaf),
    headers: {
      [HEADER.source]: origin,
      ...(leaf.startsWith(CARRIED) ? { [HEADER.duplicateOf]: 'elsewhere' } : {}),
      ...(i === 0 ? { [HEADER.edge]: formatEdge(rangeOf(leaves.slice(0, from))) } : {}),
      ...(i === 0 && vouch !== 'none' ? { [HEADER.receipt]: toBase64(utf8(receipt(append))) } : {}),
      ...(i === fresh.length - 1 ? { [HEADER.checkpoint]: toBase64(utf8(checkpoint)) } : {}),
    },
  }));
}

function receipt({ origin, leaves, from, vouch, cosignedSeconds }: TestAppend): string {
  const size = vouch === 'other' ? from + 1 : from;
  const signer = vouch === 'forged' ? 'audit.example.com/elsewhere' : 'audit.example.com/ingest';
  return note(origin, rangeOf(leaves.slice(0, size)), signer, cosignedSeconds);
}
