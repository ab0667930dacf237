import type { ISocketFactory, Kafka } from 'kafkajs';
import Cluster from 'kafkajs/src/cluster/index.js';
import {
  clientIdOf,
  CONNECTION_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  RETRY,
  type KafkaConnection,
} from './client.ts';
import { saslOptions } from './security.ts';

const READ_UNCOMMITTED = 0;

/** The layer of kafkajs below its producers and consumers: connections, and who leads which partition. */
export function createCluster(
  client: Kafka,
  connection: KafkaConnection,
  socketFactory: ISocketFactory,
  { metadataAgeMsMax }: { readonly metadataAgeMsMax: number },
): Cluster {
  return new Cluster({
    logger: client.logger(),
    socketFactory,
    ...(connection.sasl === undefined ? {} : { sasl: saslOptions(connection.sasl) }),
    brokers: [...connection.brokers],
    clientId: clientIdOf(connection),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    metadataMaxAge: metadataAgeMsMax,
    retry: RETRY,
    allowAutoTopicCreation: false,
    isolationLevel: READ_UNCOMMITTED,
  });
}
