import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RawRecord } from './kafka-raw.ts';

/** Partition, offset, lengths of key and value, both of them, and the headers as `name=value,…`. */
const FORMAT = '%p %o %K %S\\n%k%s%h\\n';
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const LF = 10;

/** Every record of a topic, by partition and offset, as `kcat` prints it: a client that knows nothing of ours. */
export async function kcat(address: string, topic: string): Promise<RawRecord[]> {
  const { stdout } = await promisify(execFile)(
    'kcat',
    ['-C', '-q', '-e', '-b', address, '-t', topic, '-o', 'beginning', '-f', FORMAT],
    { encoding: 'buffer', maxBuffer: OUTPUT_BYTES_MAX },
  );
  const records: RawRecord[] = [];
  let at = 0;
  const take = (length: number): Buffer => stdout.subarray(at, (at += length));
  const line = (): string => {
    const end = stdout.indexOf(LF, at);
    if (end < 0) throw new Error('kcat ended in the middle of a record');
    const text = take(end - at).toString('utf8');
    at++;
    return text;
  };
  while (at < stdout.length) {
    const [partition = Number.NaN, offset = Number.NaN, keyLength = 0, valueLength = 0] = line()
      .split(' ')
      .map(Number);
    const key = take(keyLength).toString('utf8');
    const value = take(valueLength);
    records.push({ partition, offset, key, value, headers: headersOf(line()) });
  }
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** Headers are names, numbers, times and base64: none of ours holds a comma. */
function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const header of text.split(',')) {
    const [, name, value] = /^([^=]+)=(.*)$/.exec(header) ?? [];
    if (name === undefined || value === undefined) throw new Error(`kcat printed a header as ${header}`);
    if (name in headers) throw new Error(`the header ${name} stands twice`);
    headers[name] = value;
  }
  return headers;
}
