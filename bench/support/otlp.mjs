/** OTLP/HTTP bodies in protobuf (opentelemetry-proto, `ExportLogsServiceRequest`), as much of it as a log needs. */

const LENGTH_DELIMITED = 2;
const FIXED64 = 1;

/**
 * A request with one log record for each of `leaves`. Its body is the leaf as bytes: as a string the exporter's
 * `raw` encoding would quote it once more.
 *
 * @param {readonly Uint8Array[]} leaves
 */
export function otlpLogs(leaves) {
  const time = Buffer.alloc(9);
  time[0] = (1 << 3) | FIXED64;
  time.writeBigUInt64LE(BigInt(Date.now()) * 1_000_000n, 1);
  // LogRecord: time_unix_nano = 1, body = 5 (AnyValue: bytes_value = 7). ScopeLogs: log_records = 2.
  const records = leaves.map((leaf) => field(2, [time, field(5, [field(7, [leaf])])]));
  // ExportLogsServiceRequest: resource_logs = 1. ResourceLogs: scope_logs = 2.
  return field(1, [field(2, records)]);
}

function field(number, parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varint((number << 3) | LENGTH_DELIMITED), varint(length), ...parts]);
}

function varint(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}
