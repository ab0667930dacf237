import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { ProxiedConnection } from './connection.ts';
import { FaultPlan, type Counts, type FaultsByCount, type Hit } from './faults.ts';
import type { ApiName } from './frames.ts';

export type { Fault } from './faults.ts';

export type KafkaProxy = {
  /** `host:port` in front of each broker, in their order. */
  readonly addresses: readonly string[];
  /**
   * From now on the nth request of this kind, over all connections and brokers, meets the fault that `faults` names
   * for n = 1, 2, …. Replaces what was set for this kind before.
   */
  readonly fail: (api: ApiName, faults: FaultsByCount) => void;
  /** New requests meet no fault any more. What is held stays held. */
  readonly heal: () => void;
  /** Lets go on what is held, in the order in which it came. */
  readonly release: () => void;
  readonly held: () => number;
  /** How many requests of this kind have come, and how many of them the brokers have answered. */
  readonly counts: (api: ApiName) => Counts;
  /** Every request that met a fault, in order. */
  readonly hits: () => readonly Hit[];
  /** Ends every connection, as a network does that is gone for a moment. */
  readonly cutAll: () => void;
  readonly close: () => Promise<void>;
};

/**
 * A proxy in front of brokers on loopback, by their ports, that reads Kafka's frames and loses, delays and holds what
 * it is told to. Clients find it where a listener of the broker advertises it.
 */
export async function startKafkaProxy(ports: readonly number[]): Promise<KafkaProxy> {
  const plan = new FaultPlan();
  const open = new Set<ProxiedConnection>();
  const servers = await Promise.all(ports.map((port) => listen(port, plan, open)));
  const cutAll = (): void => {
    for (const connection of open) connection.cut();
  };
  return {
    addresses: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
    fail: (api, faults) => plan.set(api, faults),
    heal: () => plan.clear(),
    release: () => plan.release(),
    held: () => plan.held,
    counts: (api) => plan.counts(api),
    hits: () => plan.hits,
    cutAll,
    close: async () => {
      plan.release();
      cutAll();
      await Promise.all(servers.map(close));
    },
  };
}

async function listen(port: number, plan: FaultPlan, open: Set<ProxiedConnection>): Promise<Server> {
  const server = createServer((client) => {
    const broker = connect(port, '127.0.0.1');
    const connection = new ProxiedConnection(client, broker, plan);
    open.add(connection);
    broker.once('close', () => open.delete(connection));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
