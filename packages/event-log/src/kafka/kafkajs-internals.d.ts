/**
 * The parts of kafkajs 2.2.4 below its public API that the reader and the producer use; the version is pinned exactly.
 * Its consumers can only join a group, and what they are assigned is not theirs to say; its producers encode slowly;
 * and what it knows of a cluster it asks of whoever it is connected to, also where that has stopped answering.
 */
declare module 'kafkajs/src/broker/index.js' {
  import type { Logger } from 'kafkajs';
  import type ConnectionPool from 'kafkajs/src/network/connectionPool.js';

  type FetchedMessage = {
    readonly offset: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    /** An array where the record repeats a header. */
    readonly headers: Readonly<Record<string, Buffer | null | readonly (Buffer | null)[]>>;
    readonly isControlRecord: boolean;
  };

  class Broker {
    constructor(options: {
      readonly connectionPool: ConnectionPool;
      readonly logger: Logger;
      readonly allowAutoTopicCreation: boolean;
    });
    readonly connectionPool: ConnectionPool;
    connect(): Promise<void>;
    /** Whether one of its connections is there, with its user where there is one. */
    isConnected(): boolean;
    initProducerId(request: {
      readonly transactionTimeout: number;
    }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
    listOffsets(request: {
      readonly replicaId: number;
      readonly isolationLevel: 0 | 1;
      readonly topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { readonly partition: number; readonly timestamp: -1 | -2 }[];
      }[];
    }): Promise<{
      readonly responses: readonly { readonly partitions: readonly { readonly offset: string }[] }[];
    }>;
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
  }
  export = Broker;
}

declare module 'kafkajs/src/network/connectionPool.js' {
  import type { ISocketFactory, Logger, SASLOptions } from 'kafkajs';

  /** The connections to one broker: one for Fetch, and one for everything else. */
  class ConnectionPool {
    constructor(options: {
      readonly host: string;
      readonly port: number;
      readonly logger: Logger;
      readonly socketFactory: ISocketFactory;
      readonly sasl?: SASLOptions;
      readonly clientId: string;
      readonly connectionTimeout: number;
      readonly requestTimeout: number;
      readonly enforceRequestTimeout: boolean;
    });
    /** The connection for Fetch is 1. It is there when this resolves, its user is not. */
    getConnection(index?: number): Promise<{ readonly isConnected: () => boolean }>;
    send<T>(protocol: {
      readonly request: {
        readonly apiKey: number;
        readonly apiVersion: number;
        readonly apiName: string;
        readonly encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
      };
      readonly response: {
        readonly decode: (payload: Buffer) => Promise<unknown>;
        readonly parse: (decoded: never) => Promise<T>;
      };
    }): Promise<T>;
  }
  export = ConnectionPool;
}

declare module 'kafkajs/src/protocol/requests/produce/v7/response.js' {
  type Produced = {
    readonly topics: readonly { readonly partitions: readonly { readonly baseOffset: string }[] }[];
  };
  /** Decodes an answer; an error code in it is thrown. */
  const response: {
    readonly decode: (payload: Buffer) => Promise<unknown>;
    readonly parse: (decoded: unknown) => Promise<Produced>;
  };
  export = response;
}

declare module 'kafkajs/src/protocol/requests/metadata/v6/request.js' {
  const request: (of: { readonly topics: readonly string[]; readonly allowAutoTopicCreation: boolean }) => {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  export = request;
}

declare module 'kafkajs/src/protocol/requests/metadata/v6/response.js' {
  const response: { readonly decode: (payload: Buffer) => Promise<unknown> };
  export = response;
}

declare module 'kafkajs/src/protocol/error.js' {
  /** The error of a protocol's code, with its `type` and whether it is `retriable`. */
  export const createErrorFromCode: (code: number) => Error;
}
