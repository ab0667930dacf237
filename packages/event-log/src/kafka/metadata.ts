import type Broker from 'kafkajs/src/broker/index.js';
import { createErrorFromCode } from 'kafkajs/src/protocol/error.js';
import metadataRequest from 'kafkajs/src/protocol/requests/metadata/v6/request.js';
import { decode } from 'kafkajs/src/protocol/requests/metadata/v6/response.js';

/** What a broker says of the cluster and one topic. */
export type Metadata = {
  /** `host:port` of every broker that is up. */
  readonly brokers: readonly string[];
  /** `host:port` of the leaders; partitions that have none are missing. */
  readonly leaders: ReadonlyMap<number, string>;
};

/** A Metadata response, version 6, as far as it matters here. */
type Answer = {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
};

/**
 * Asks a broker who leads which partition. kafkajs's own way fails where any partition of the topic has no leader, and
 * so would leave the others without one, too.
 */
export async function readMetadata(broker: Broker, topic: string): Promise<Metadata> {
  return broker.connectionPool.send({
    request: metadataRequest({ topics: [topic], allowAutoTopicCreation: false }),
    response: { decode, parse: metadataOf },
  });
}

async function metadataOf({ brokers, topicMetadata }: Answer): Promise<Metadata> {
  const [topic] = topicMetadata;
  if (topic === undefined) throw new Error('the broker says nothing of the topic');
  if (topic.topicErrorCode !== 0) throw createErrorFromCode(topic.topicErrorCode);
  const places = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]));
  const leaders = topic.partitionMetadata.flatMap(({ partitionId, leader }) => {
    const place = places.get(leader);
    return place === undefined ? [] : [[partitionId, place] as const];
  });
  return { brokers: [...places.values()], leaders: new Map(leaders) };
}
