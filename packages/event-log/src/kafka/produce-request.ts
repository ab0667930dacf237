import response from 'kafkajs/src/protocol/requests/produce/v7/response.js';

/** All in-sync replicas, which `min.insync.replicas` keeps from being too few. */
const ACKS_ALL = -1;
const PRODUCE = { apiKey: 0, apiVersion: 7, apiName: 'Produce' } as const;

/**
 * A Produce request, version 7, with one batch for one partition, in the shape in which kafkajs's connections take
 * requests:
 *
 *     transactional_id => NULLABLE_STRING  acks => INT16  timeout_ms => INT32
 *     [topic_data] => name STRING  [partition_data] => index INT32  records => BYTES
 */
export function produceRequest(options: {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
  readonly timeoutMs: number;
}) {
  return { request: { ...PRODUCE, encode: async () => encoded(options) }, response };
}

function encoded({ topic, partition, batch, timeoutMs }: Parameters<typeof produceRequest>[0]) {
  const name = Buffer.from(topic, 'utf8');
  const head = Buffer.alloc(2 + 2 + 4 + 4 + 2 + name.length + 4 + 4 + 4);
  let at = head.writeInt16BE(-1, 0);
  at = head.writeInt16BE(ACKS_ALL, at);
  at = head.writeInt32BE(timeoutMs, at);
  at = head.writeInt32BE(1, at);
  at = head.writeInt16BE(name.length, at);
  at += name.copy(head, at);
  at = head.writeInt32BE(1, at);
  at = head.writeInt32BE(partition, at);
  head.writeInt32BE(batch.length, at);
  const buffer = Buffer.concat([head, batch]);
  // What kafkajs takes for one of its encoders.
  return { buf: buffer, buffer };
}
