import type { StoredRecord } from '../record.ts';

/** A message as kafkajs decodes it. */
type Decoded = {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | null | readonly (Buffer | null)[]>>;
};

/**
 * The record that a message is. What only another producer can have written (no key, no value, a repeated header)
 * becomes the nearest that a record can be, and is for the reader's filter to refuse.
 */
export function storedRecord({ offset, key, value, headers }: Decoded, partition: number): StoredRecord {
  const texts: Record<string, string> = {};
  for (const [name, content] of Object.entries(headers)) {
    const last = isRepeated(content) ? content.at(-1) : content;
    texts[name] = last?.toString('utf8') ?? '';
  }
  return {
    partition,
    offset: Number(offset),
    key: key?.toString('utf8') ?? '',
    // Copied, so that one record that is kept does not keep the whole answer.
    value: new Uint8Array(value ?? []),
    headers: texts,
  };
}

function isRepeated(content: Decoded['headers'][string]): content is readonly (Buffer | null)[] {
  return Array.isArray(content);
}
