import type Broker from 'kafkajs/src/broker/index.js';

/** `org.apache.kafka.common.acl.AclOperation.WRITE` */
const WRITE = 4;
/** What a broker answers that was not asked, or is older than the question. */
const NOT_SAID = -(2 ** 31);
const METADATA = { apiKey: 3, apiVersion: 8, apiName: 'Metadata' } as const;

/**
 * Whether the broker lets this client append to `topic`; nothing is appended for that. `null` where it does not say.
 *
 * A Metadata request, version 8 (KIP-430), of one topic: `[topics] => STRING`, and three booleans: make the topic, say
 * the rights on the cluster, say the rights on the topic. The answer ends with the rights on the last topic and those
 * on the cluster, an INT32 of bits each.
 */
export async function readWriteRight(broker: Broker, topic: string): Promise<boolean | null> {
  const name = Buffer.from(topic, 'utf8');
  const buffer = Buffer.alloc(4 + 2 + name.length + 3);
  let at = buffer.writeInt32BE(1, 0);
  at = buffer.writeInt16BE(name.length, at);
  at += name.copy(buffer, at);
  buffer.writeInt8(1, at + 2);
  const rights = await broker.connectionPool.send({
    request: { ...METADATA, encode: async () => ({ buf: buffer, buffer }) },
    response: {
      decode: async (payload: Buffer) => payload.readInt32BE(payload.length - 8),
      parse: async (bits: number) => bits,
    },
  });
  return rights === NOT_SAID ? null : (rights & (1 << WRITE)) !== 0;
}
