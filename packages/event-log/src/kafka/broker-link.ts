import type { Kafka } from 'kafkajs';
import Broker from 'kafkajs/src/broker/index.js';
import ConnectionPool from 'kafkajs/src/network/connectionPool.js';
import { clientIdOf, CONNECTION_TIMEOUT_MS, REQUEST_TIMEOUT_MS, type KafkaConnection } from './client.ts';
import { saslOptions } from './security.ts';
import type { Sockets } from './sockets.ts';

/**
 * A broker that answers within this answers requests that nothing is wrong with; ours make none wait longer. One that
 * has been sent something and says nothing at all for so long has stopped, whatever its connection looks like.
 */
export const SILENCE_MS_MAX = 6_000;

/** One broker, and what it takes to be rid of it. */
export type BrokerLink = {
  readonly place: string;
  /** The broker, once it can be asked; whoever wants that at the same time waits for the same connection. */
  readonly connected: () => Promise<Broker>;
  /** Ends the connections at once; whatever waits for an answer fails. */
  readonly end: () => void;
};

/**
 * At most one connection for Fetch and one for everything else, however many ask at once. kafkajs opens one for each
 * who finds none: the last of them stays in use, and where another one ends, it ends the one in use.
 */
class SharedConnections extends ConnectionPool {
  readonly #connecting = new Map<number, ReturnType<ConnectionPool['getConnection']>>();

  override getConnection(slot = 0): ReturnType<ConnectionPool['getConnection']> {
    const underWay = this.#connecting.get(slot);
    if (underWay !== undefined) return underWay;
    const connecting = super.getConnection(slot).finally(() => this.#connecting.delete(slot));
    this.#connecting.set(slot, connecting);
    return connecting;
  }
}

/** How brokers are reached by their place, `host:port`; nothing is connected yet. */
export type MakeLink = (place: string) => BrokerLink;

export function linkMaker(client: Kafka, connection: KafkaConnection, sockets: Sockets): MakeLink {
  const { sasl } = connection;
  const logger = client.logger();
  return (place) => {
    const group = sockets.group(SILENCE_MS_MAX);
    const colon = place.lastIndexOf(':');
    const connectionPool = new SharedConnections({
      host: place.slice(0, colon),
      port: Number(place.slice(colon + 1)),
      logger,
      socketFactory: group.factory,
      ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
      clientId: clientIdOf(connection),
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
    });
    const broker = new Broker({ connectionPool, logger, allowAutoTopicCreation: false });
    return { place, connected: connectedTo(broker), end: group.end };
  };
}

/** kafkajs takes a broker for connected before it knows which versions that speaks, and cannot ask it anything then. */
function connectedTo(broker: Broker): () => Promise<Broker> {
  let connecting: Promise<void> | null = null;
  return async () => {
    if (connecting === null && !broker.isConnected())
      connecting = broker.connect().finally(() => {
        connecting = null;
      });
    await connecting;
    return broker;
  };
}
