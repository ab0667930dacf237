import kafkajs, { type ISocketFactory, type Kafka, type RetryOptions } from 'kafkajs';
import { saslOptions, type KafkaSecurity } from './security.ts';

// A CommonJS module whose names Node cannot see from outside.
const { Kafka: KafkaClient, logLevel } = kafkajs;

/** How a cluster is reached. */
export type KafkaConnection = KafkaSecurity & {
  /** `host:port` of some of the brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  readonly clientId?: string;
};

export const CONNECTION_TIMEOUT_MS = 5_000;
export const REQUEST_TIMEOUT_MS = 15_000;
const CLIENT_ID = 'tachograph';

/**
 * Few and short: what goes wrong for longer is the caller's to decide, who also knows its deadline. Every field is
 * named, since kafkajs has other defaults under `NODE_ENV=test`, and its idempotent producer retries without end.
 */
export const RETRY = {
  retries: 5,
  initialRetryTime: 100,
  maxRetryTime: 1_000,
  factor: 0.2,
  multiplier: 2,
} satisfies RetryOptions;

/** A client of kafkajs that logs nothing: what fails reaches the caller as an error or an outcome. */
export function createClient(
  { brokers, clientId = CLIENT_ID, sasl }: KafkaConnection,
  socketFactory: ISocketFactory,
  retry: RetryOptions = RETRY,
): Kafka {
  return new KafkaClient({
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry,
    // Not `ssl`: the sockets decide that, and read the certificates each time.
    socketFactory,
    ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
    logLevel: logLevel.NOTHING,
  });
}

export function clientIdOf({ clientId = CLIENT_ID }: KafkaConnection): string {
  return clientId;
}
