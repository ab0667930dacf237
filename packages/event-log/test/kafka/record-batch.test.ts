import { describe, expect, it } from '@jest/globals';
import { crc32c } from '../../src/kafka/crc32c.ts';
import { RecordBatchEncoder } from '../../src/kafka/record-batch.ts';

const ORIGIN = { producerId: 77n, producerEpoch: 3, firstSequence: 9, timestamp: 1_790_000_000_000 };

function record(value: string, headers: Record<string, string> = {}) {
  return { key: 'k', value: new TextEncoder().encode(value), headers };
}

/** The records of a batch, read as the protocol guide has them and not as they are written here. */
function decoded(batch: Buffer): { key: string; value: string; headers: Record<string, string> }[] {
  let at = 61;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = batch[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  };
  const text = (): string => {
    const length = varint();
    at += length;
    return batch.toString('utf8', at - length, at);
  };
  const records = Array.from({ length: batch.readInt32BE(57) }, (_, i) => {
    const end = varint() + at;
    expect([batch[at++], varint(), varint()]).toEqual([0, 0, i]);
    const [key, value] = [text(), text()];
    const headers = Object.fromEntries(Array.from({ length: varint() }, () => [text(), text()]));
    expect(at).toBe(end);
    return { key, value, headers };
  });
  expect(at).toBe(batch.length);
  return records;
}

describe('crc32c', () => {
  it('is that of RFC 3720, also where the bytes are no multiple of eight', () => {
    const check = Buffer.from('123456789');
    expect(crc32c(check)).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.concat([Buffer.from('ab'), check, Buffer.from('c')]), 2, 11)).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(0))).toBe(0);
  });
});

describe('RecordBatchEncoder', () => {
  it('writes the header of a batch of version 2 with a checksum over all behind it', () => {
    const batch = new RecordBatchEncoder().encode([record('a'), record('b')], ORIGIN);
    expect(batch.readBigInt64BE(0)).toBe(0n);
    expect(batch.readInt32BE(8)).toBe(batch.length - 12);
    expect(batch.readInt32BE(12)).toBe(-1);
    expect(batch[16]).toBe(2);
    expect(batch.readUInt32BE(17)).toBe(crc32c(batch.subarray(21)));
    expect(batch.readInt16BE(21)).toBe(0);
    expect(batch.readInt32BE(23)).toBe(1);
    expect([batch.readBigInt64BE(27), batch.readBigInt64BE(35)]).toEqual([
      1_790_000_000_000n,
      1_790_000_000_000n,
    ]);
    expect([batch.readBigInt64BE(43), batch.readInt16BE(51), batch.readInt32BE(53)]).toEqual([77n, 3, 9]);
    expect(batch.readInt32BE(57)).toBe(2);
  });

  it('writes records of every length, and text beyond ASCII, so that they are read as they were', () => {
    const lengths = [0, 1, 50, 63, 64, 127, 128, 1_000, 8_100, 8_191, 8_192, 40_000, 1_100_000];
    const records = lengths.map((length) => record('x'.repeat(length), { n: String(length), 'ü€': '😀 é' }));
    const batch = new RecordBatchEncoder().encode(records, ORIGIN);
    expect(decoded(batch)).toEqual(
      records.map(({ key, headers }, i) => ({ key, value: 'x'.repeat(lengths[i]!), headers })),
    );
  });

  it('writes a batch like any other after a larger one', () => {
    const encoder = new RecordBatchEncoder();
    const small = Buffer.from(encoder.encode([record('small', { a: 'b' })], ORIGIN));
    encoder.encode([record('y'.repeat(300_000))], ORIGIN);
    expect(encoder.encode([record('small', { a: 'b' })], ORIGIN).equals(small)).toBe(true);
  });

  it('lets go of the room that a large batch took once only small ones come', () => {
    const encoder = new RecordBatchEncoder();
    const large = encoder.encode([record('x'.repeat(3_000_000))], ORIGIN);
    expect(large.buffer.byteLength).toBeGreaterThan(3_000_000);
    const sizes = Array.from({ length: 100 }, () => encoder.encode([record('x')], ORIGIN).buffer.byteLength);
    expect(sizes[10]).toBe(large.buffer.byteLength);
    expect(sizes.at(-1)).toBeLessThan(100_000);
    expect(decoded(encoder.encode([record('still right')], ORIGIN))).toMatchObject([
      { value: 'still right' },
    ]);
  });
});
