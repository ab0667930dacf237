/**
 * The parts of kafkajs 2.2.4 below its public API that the reader and the producer use; the version is pinned exactly.
 * Its consumers can only join a group, and what they are assigned is not theirs to say; its producers encode slowly.
 */
declare module 'kafkajs/src/cluster/index.js' {
  import type { ISocketFactory, Logger, RetryOptions, SASLOptions } from 'kafkajs';

  type FetchedMessage = {
    readonly offset: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    /** An array where the record repeats a header. */
    readonly headers: Readonly<Record<string, Buffer | null | readonly (Buffer | null)[]>>;
    readonly isControlRecord: boolean;
  };

  type Produced = {
    readonly topics: readonly { readonly partitions: readonly { readonly baseOffset: string }[] }[];
  };

  type Broker = {
    readonly connectionPool: {
      send(protocol: {
        readonly request: {
          readonly apiKey: number;
          readonly apiVersion: number;
          readonly apiName: string;
          readonly encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
        };
        readonly response: unknown;
      }): Promise<Produced>;
    };
    initProducerId(request: {
      readonly transactionTimeout: number;
    }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
    fetch(request: {
      readonly replicaId: number;
      readonly isolationLevel: 0 | 1;
      readonly maxWaitTime: number;
      readonly minBytes: number;
      readonly maxBytes: number;
      readonly topics: readonly {
        readonly topic: string;
        readonly partitions: readonly {
          readonly partition: number;
          readonly fetchOffset: string;
          readonly maxBytes: number;
        }[];
      }[];
    }): Promise<{
      readonly responses: readonly {
        readonly partitions: readonly {
          readonly partition: number;
          readonly highWatermark: string;
          readonly messages: readonly FetchedMessage[];
        }[];
      }[];
    }>;
  };

  class Cluster {
    constructor(options: {
      readonly logger: Logger;
      readonly socketFactory: ISocketFactory;
      readonly sasl?: SASLOptions;
      readonly brokers: string[];
      readonly clientId: string;
      readonly connectionTimeout: number;
      readonly requestTimeout: number;
      readonly enforceRequestTimeout: boolean;
      readonly metadataMaxAge: number;
      readonly retry: RetryOptions;
      readonly allowAutoTopicCreation: boolean;
      readonly isolationLevel: 0 | 1;
    });
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    isConnected(): boolean;
    addTargetTopic(topic: string): Promise<void>;
    refreshMetadata(): Promise<void>;
    refreshMetadataIfNecessary(): Promise<void>;
    removeBroker(destination: { readonly host: string; readonly port: number }): void;
    /** The partitions asked for by their leader's node id; one without metadata is in none. */
    findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, number[]>>;
    findBroker(node: { readonly nodeId: string }): Promise<Broker>;
    findControllerBroker(): Promise<Broker>;
    fetchTopicsOffset(
      topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { readonly partition: number }[];
        readonly fromBeginning: boolean;
      }[],
    ): Promise<readonly { readonly partitions: readonly { readonly offset: string }[] }[]>;
  }
  export = Cluster;
}

declare module 'kafkajs/src/protocol/requests/produce/v7/response.js' {
  /** Decodes an answer; an error code in it is thrown. */
  const response: {
    readonly decode: (payload: Buffer) => Promise<unknown>;
    readonly parse: (decoded: unknown) => Promise<unknown>;
  };
  export = response;
}
