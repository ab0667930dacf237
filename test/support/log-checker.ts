import { leafHash, toHex } from '@tachograph/wire';
import type { RawRecord } from './kafka-raw.ts';

/** For each log, the values that its client holds an acknowledgement for, by index from 0 on. */
export type AcknowledgedLogs = ReadonlyMap<string, readonly Uint8Array[]>;

/** One thing that must not be: at `index` of `log`, found at `offset`, or nowhere. */
type Finding = { readonly log: string; readonly index: number; readonly offset: number | null };

export type Verdict = {
  /** Acknowledged, or before an entry that is there, and not in the topic. */
  readonly missing: readonly Finding[];
  /** After an entry of a higher index. */
  readonly reordered: readonly Finding[];
  /** There once more, under its own index or another one, and no exact repeat. */
  readonly doubled: readonly Finding[];
  /** Other bytes than were acknowledged, or than the record's id says. */
  readonly altered: readonly Finding[];
  /** Not in the partition of the entries of its log before it. */
  readonly scattered: readonly Finding[];
  /** How many records say again, byte for byte, what stands at their index already. */
  readonly rawDuplicates: number;
  /** How many entries of the topic nobody holds an acknowledgement for: legal. */
  readonly unacknowledged: number;
};

type Kept = { readonly index: number; readonly record: RawRecord };
type Checked = Omit<Verdict, 'rawDuplicates'> & { readonly repeats: number };

const HASH_DIGITS = 12;

/**
 * Compares what the topic holds with what clients hold acknowledgements for. It shares nothing with the product but
 * the hash of a leaf: the topic is read by a stock client, and the only thing that is dropped is a record whose index
 * and bytes both stand there before it.
 */
export function checkTopic(records: readonly RawRecord[], acknowledged: AcknowledgedLogs): Verdict {
  const byLog = new Map<string, RawRecord[]>([...acknowledged.keys()].map((log) => [log, []]));
  for (const record of records) {
    const log = record.headers['ce_source'];
    if (log === undefined) throw new Error(`a record without a log at ${record.partition}/${record.offset}`);
    const own = byLog.get(log) ?? [];
    own.push(record);
    byLog.set(log, own);
  }
  const checked = [...byLog].map(([log, own]) => checkLog(log, own, acknowledged.get(log) ?? []));
  return {
    missing: checked.flatMap(({ missing }) => missing),
    reordered: checked.flatMap(({ reordered }) => reordered),
    doubled: checked.flatMap(({ doubled }) => doubled),
    altered: checked.flatMap(({ altered }) => altered),
    scattered: checked.flatMap(({ scattered }) => scattered),
    rawDuplicates: sum(checked.map(({ repeats }) => repeats)),
    unacknowledged: sum(checked.map(({ unacknowledged }) => unacknowledged)),
  };
}

/** What a test expects of a verdict, and nothing else. */
export const NOTHING_WRONG = { missing: [], reordered: [], doubled: [], altered: [], scattered: [] } as const;

function checkLog(log: string, records: readonly RawRecord[], acknowledged: readonly Uint8Array[]): Checked {
  const { kept, repeats } = dropRepeats(records);
  const finding = ({ index, record: { offset } }: Kept): Finding => ({ log, index, offset });
  const present = new Set(kept.map(({ index }) => index));
  const size = Math.max(acknowledged.length, ...kept.map(({ index }) => index + 1));
  const absent = Array.from({ length: size }, (_, index) => index).filter((index) => !present.has(index));
  return {
    missing: absent.map((index) => ({ log, index, offset: null })),
    reordered: afterHigher(kept).map(finding),
    doubled: saidBefore(kept).map(finding),
    altered: kept.filter((entry) => isAltered(entry, acknowledged[entry.index])).map(finding),
    scattered: kept.filter(({ record }) => record.partition !== kept[0]!.record.partition).map(finding),
    repeats,
    unacknowledged: [...present].filter((index) => index >= acknowledged.length).length,
  };
}

function dropRepeats(records: readonly RawRecord[]): { kept: Kept[]; repeats: number } {
  const seen = new Set<string>();
  const kept: Kept[] = [];
  for (const record of records) {
    const index = indexOf(record);
    const identity = `${index} ${record.value.toString('base64')}`;
    if (!seen.has(identity)) kept.push({ index, record });
    seen.add(identity);
  }
  return { kept, repeats: records.length - kept.length };
}

function afterHigher(kept: readonly Kept[]): Kept[] {
  let highest = -1;
  return kept.filter(({ index }) => {
    const isLate = index < highest;
    highest = Math.max(highest, index);
    return isLate;
  });
}

/** Exact repeats are gone: what shares its index or its bytes with another is not one. */
function saidBefore(kept: readonly Kept[]): Kept[] {
  const indices = new Set<number>();
  const values = new Set<string>();
  return kept.filter(({ index, record }) => {
    const value = record.value.toString('base64');
    const isSecond = indices.has(index) || values.has(value);
    indices.add(index);
    values.add(value);
    return isSecond;
  });
}

function isAltered({ record }: Kept, acknowledged: Uint8Array | undefined): boolean {
  if (acknowledged !== undefined && !record.value.equals(acknowledged)) return true;
  const claimed = record.headers['ce_id']?.split('/').at(-1);
  return claimed !== toHex(leafHash(new Uint8Array(record.value))).slice(0, HASH_DIGITS);
}

function indexOf({ headers, partition, offset }: RawRecord): number {
  const sequence = headers['ce_sequence'] ?? '';
  if (!/^\d{16}$/.test(sequence)) throw new Error(`no index at ${partition}/${offset}: "${sequence}"`);
  return Number(sequence);
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
