import { createHash } from 'node:crypto';
import type { EventLog } from './port.ts';
import type { LogRecord } from './record.ts';

/**
 * Where a record stands and a hash of all that it holds: `<offset> <SHA-256 in hex>`. By the mark of the last record
 * that was read, a partition is known again: one that was cut or made anew, and has grown since, has another there.
 */
export function markOf({ key, value, headers }: LogRecord, offset: number): string {
  const hash = createHash('sha256');
  const add = (part: string | Uint8Array): void => {
    // The length first: no two records give the same bytes.
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}:`).update(bytes);
  };
  add(key);
  add(value);
  for (const name of Object.keys(headers).sort()) {
    add(name);
    add(headers[name]!);
  }
  return `${offset} ${hash.digest('hex')}`;
}

/** Whether the partition still holds the record of `mark`, as far as can be told: one that expired tells nothing. */
export async function holdsMark(
  log: Pick<EventLog, 'offsets' | 'readRange'>,
  partition: number,
  mark: string,
): Promise<boolean> {
  const offset = Number(mark.split(' ')[0]);
  if (!Number.isSafeInteger(offset)) throw new Error(`not the mark of a record: ${mark}`);
  for await (const records of log.readRange(partition, offset, offset + 1)) {
    const record = records.find((one) => one.offset === offset);
    if (record !== undefined) return markOf(record, offset) === mark;
  }
  return (await log.offsets(partition)).oldest > offset;
}
