import { utf8 } from '@tachograph/wire';
import type { LogRecord } from '../record.ts';
import { crc32c } from './crc32c.ts';

/** By what the broker tells a batch that it has already from a new one. */
export type BatchOrigin = {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The number of the batch's first record among all that this producer has appended to the partition. */
  readonly firstSequence: number;
  /** Milliseconds since the epoch; of all records of the batch. */
  readonly timestamp: number;
};

const MAGIC = 2;
const NO_LEADER_EPOCH = -1;
/** Where the fields of a batch's header stand. */
const AT = {
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  firstSequence: 53,
  count: 57,
  records: 61,
} as const;

const INITIAL_BYTES = 64 * 1024;
/** After so many batches in a row that took less than a quarter of the buffer, it is let go: each partition has one. */
const SMALL_BATCHES_MAX = 64;
/** What a varint of 32 bits takes at most. */
const VARINT_BYTES_MAX = 5;
/** The varint of a length from 64 to 8191, which is that of most records. */
const USUAL_LENGTH_BYTES = 2;

/**
 * Encodes record batches of version 2 ("Kafka protocol guide, Record Batch"), uncompressed, into one buffer that is
 * used again: what {@link encode} answers is valid until it is called again.
 *
 * kafkajs has an encoder of its own, which makes a buffer of 512 bytes for each record *and each header*: with our
 * sixteen headers that was half of all the time that ingest spent.
 */
export class RecordBatchEncoder {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #at = 0;
  #smallBatches = 0;

  /** The bytes of a batch with `records`, at least one. */
  encode(records: readonly LogRecord[], origin: BatchOrigin): Buffer {
    this.#shrink();
    this.#at = AT.records;
    for (const [i, record] of records.entries()) this.#record(record, i);
    const bytes = this.#bytes;
    bytes.writeBigInt64BE(0n, 0);
    bytes.writeInt32BE(this.#at - AT.leaderEpoch, AT.batchLength);
    bytes.writeInt32BE(NO_LEADER_EPOCH, AT.leaderEpoch);
    bytes.writeInt8(MAGIC, AT.magic);
    bytes.writeInt16BE(0, AT.attributes);
    bytes.writeInt32BE(records.length - 1, AT.lastOffsetDelta);
    bytes.writeBigInt64BE(BigInt(origin.timestamp), AT.firstTimestamp);
    bytes.writeBigInt64BE(BigInt(origin.timestamp), AT.maxTimestamp);
    bytes.writeBigInt64BE(origin.producerId, AT.producerId);
    bytes.writeInt16BE(origin.producerEpoch, AT.producerEpoch);
    bytes.writeInt32BE(origin.firstSequence, AT.firstSequence);
    bytes.writeInt32BE(records.length, AT.count);
    bytes.writeUInt32BE(crc32c(bytes, AT.attributes, this.#at), AT.crc);
    return bytes.subarray(0, this.#at);
  }

  #shrink(): void {
    this.#smallBatches = this.#at * 4 < this.#bytes.length ? this.#smallBatches + 1 : 0;
    if (this.#smallBatches < SMALL_BATCHES_MAX) return;
    this.#smallBatches = 0;
    if (this.#bytes.length > INITIAL_BYTES) this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  #record({ key, value, headers }: LogRecord, offsetDelta: number): void {
    this.#reserve(2 * VARINT_BYTES_MAX + 2);
    const start = this.#at;
    // The length stands before what it measures: room is left for the usual one, and corrected where it is not.
    this.#at += USUAL_LENGTH_BYTES;
    const body = this.#at;
    // Attributes, and the time since the batch's: none of either.
    this.#bytes[this.#at++] = 0;
    this.#bytes[this.#at++] = 0;
    this.#varint(offsetDelta);
    this.#text(key);
    this.#reserve(value.length + 2 * VARINT_BYTES_MAX);
    this.#varint(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    const names = Object.keys(headers);
    this.#varint(names.length);
    for (const name of names) {
      this.#text(name);
      this.#text(headers[name]!);
    }
    this.#measure(start, body);
  }

  #measure(start: number, body: number): void {
    const end = this.#at;
    const length = end - body;
    const shift = varintBytes(length) - USUAL_LENGTH_BYTES;
    if (shift !== 0) {
      this.#reserve(VARINT_BYTES_MAX);
      this.#bytes.copyWithin(body + shift, body, end);
    }
    this.#at = start;
    this.#varint(length);
    this.#at = end + shift;
  }

  #text(text: string): void {
    const { length } = text;
    this.#reserve(length + VARINT_BYTES_MAX);
    const start = this.#at;
    this.#varint(length);
    let at = this.#at;
    // Nearly all of it is ASCII and short, where this costs less than a call into the runtime.
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        this.#at = start;
        return this.#bytesOf(utf8(text));
      }
      this.#bytes[at++] = code;
    }
    this.#at = at;
  }

  #bytesOf(bytes: Uint8Array): void {
    this.#reserve(bytes.length + VARINT_BYTES_MAX);
    this.#varint(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Zigzag: none of our numbers is negative. Room is there already. */
  #varint(value: number): void {
    let rest = value * 2;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest & 127) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value * 2; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
