import { freePort } from '../free-port.ts';
import {
  startKafka,
  startKafkaCluster,
  type KafkaBroker,
  type KafkaCluster,
  type KafkaListener,
} from '../kafka.ts';
import { startKafkaProxy, type KafkaProxy } from './proxy.ts';

type Proxied = {
  readonly proxy: KafkaProxy;
  /** The way through the proxy, as `KAFKA_BROKERS` takes it: who comes this way is told of no other. */
  readonly address: string;
  readonly stop: () => Promise<void>;
};

/** Its own address leads past the proxy. */
export type ProxiedKafka = Proxied & { readonly broker: KafkaBroker };

/** The brokers reach each other past the proxy. */
export type ProxiedCluster = Proxied & { readonly cluster: KafkaCluster };

/** One broker with a proxy in front of a listener of its own. */
export async function startProxiedKafka(folder: string): Promise<ProxiedKafka> {
  const { proxy, listeners } = await proxyFor(1);
  const broker = await startKafka({ folder, listeners });
  return { broker, ...proxied(proxy, broker) };
}

/** Three brokers with one proxy in front of all of them. */
export async function startProxiedCluster(folder: string): Promise<ProxiedCluster> {
  const { proxy, listeners } = await proxyFor(3);
  const cluster = await startKafkaCluster({
    folder,
    brokers: 3,
    listeners: (nodeId) => [listeners[nodeId - 1]!],
  });
  return { cluster, ...proxied(proxy, cluster) };
}

async function proxyFor(brokers: number): Promise<{ proxy: KafkaProxy; listeners: KafkaListener[] }> {
  const ports: number[] = [];
  for (let i = 0; i < brokers; i++) ports.push(await freePort());
  const proxy = await startKafkaProxy(ports);
  const listeners = ports.map((port, i): KafkaListener => {
    return { name: 'PROXIED', protocol: 'PLAINTEXT', port, advertised: proxy.addresses[i]! };
  });
  return { proxy, listeners };
}

function proxied(proxy: KafkaProxy, behind: { readonly stop: () => Promise<void> }): Proxied {
  const stop = async (): Promise<void> => {
    await proxy.close();
    await behind.stop();
  };
  return { proxy, address: proxy.addresses.join(','), stop };
}
