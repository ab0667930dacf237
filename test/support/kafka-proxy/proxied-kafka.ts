import { freePort } from '../free-port.ts';
import { startKafka, type KafkaBroker } from '../kafka.ts';
import { startKafkaProxy, type KafkaProxy } from './proxy.ts';

export type ProxiedKafka = {
  /** The broker; its own address leads past the proxy. */
  readonly broker: KafkaBroker;
  readonly proxy: KafkaProxy;
  /** The way through the proxy, as `KAFKA_BROKERS` takes it: who comes this way is told of no other. */
  readonly address: string;
  readonly stop: () => Promise<void>;
};

/** One broker with a proxy in front of a listener of its own. */
export async function startProxiedKafka(folder: string): Promise<ProxiedKafka> {
  const port = await freePort();
  const proxy = await startKafkaProxy([port]);
  const address = proxy.addresses[0]!;
  const listener = { name: 'PROXIED', protocol: 'PLAINTEXT', port, advertised: address } as const;
  const broker = await startKafka({ folder, listeners: [listener] });
  const stop = async (): Promise<void> => {
    await proxy.close();
    await broker.stop();
  };
  return { broker, proxy, address, stop };
}
