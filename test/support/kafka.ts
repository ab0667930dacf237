import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { formatStorage, launchBroker, type KafkaProcess } from './kafka-process.ts';
import { formatProperties, type KafkaListener, type KafkaNode } from './kafka-properties.ts';

export type { KafkaListener } from './kafka-properties.ts';

const START_MS_MAX = 60_000;
/** Any 16 bytes in base64: a cluster of tests needs a name, not an identity. */
const CLUSTER_ID = 'dGFjaG9ncmFwaC10ZXN0cw';

export type KafkaBroker = {
  /** `host:port`, as `KAFKA_BROKERS` takes it. */
  readonly address: string;
  readonly nodeId: number;
  /** What the broker has logged, over all its starts. */
  readonly log: () => Promise<string>;
  /** Ends it in an orderly way; its data stays. */
  readonly stop: () => Promise<void>;
  /** Ends it as a power cut does (SIGKILL); its data stays. */
  readonly kill: () => Promise<void>;
  /** Starts it again after `stop` or `kill`, at the same address, and waits until it answers. */
  readonly start: () => Promise<void>;
  /** Lets it do nothing until `resume` (SIGSTOP); its connections stay open. */
  readonly pause: () => void;
  readonly resume: () => void;
};

export type KafkaCluster = {
  /** The brokers' addresses, as `KAFKA_BROKERS` takes them. */
  readonly addresses: string;
  readonly brokers: readonly KafkaBroker[];
  readonly stop: () => Promise<void>;
};

export type KafkaOptions = {
  /** Everything of the broker is kept under it. A folder that has been a broker's before goes on with what is in it. */
  readonly folder: string;
  /** Lines of server.properties, in the place of the helper's own of the same name. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Further arguments of Kafka's storage tool, `--add-scram …` for one; a new folder needs no others. */
  readonly formatArgs?: readonly string[];
};

/**
 * Starts one Apache Kafka broker (KRaft, its own controller) and waits until it answers.
 * `listeners` are further ones beside the plain one of `address`.
 */
export async function startKafka(
  options: KafkaOptions & { readonly port?: number; readonly listeners?: readonly KafkaListener[] },
): Promise<KafkaBroker> {
  const { port = await freePort(), listeners = [] } = options;
  const node = { id: 1, port, controllerPort: await freePort(), listeners };
  return startBroker(options, options.folder, node, [node]);
}

/** Starts up to three brokers, each also a controller, and waits until all of them answer. */
export async function startKafkaCluster(
  options: KafkaOptions & {
    readonly brokers: 2 | 3;
    /** Further listeners of each broker, by its node id: 1, 2, 3. */
    readonly listeners?: (nodeId: number) => readonly KafkaListener[];
  },
): Promise<KafkaCluster> {
  const nodes: KafkaNode[] = [];
  for (let id = 1; id <= options.brokers; id++) {
    const listeners = options.listeners?.(id) ?? [];
    nodes.push({ id, port: await freePort(), controllerPort: await freePort(), listeners });
  }
  // Together: no broker is ready before most of the controllers are there.
  const starts = nodes.map((node) =>
    startBroker(options, join(options.folder, `broker-${node.id}`), node, nodes),
  );
  const started = await Promise.allSettled(starts);
  const brokers = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  // An orderly end moves leaders to whoever is left, and the last one waits for controllers that are gone.
  const stop = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => broker.kill()));
  };
  const failed = started.find((start) => start.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return { addresses: brokers.map(({ address }) => address).join(','), brokers, stop };
}

async function startBroker(
  options: KafkaOptions,
  folder: string,
  node: KafkaNode,
  voters: readonly KafkaNode[],
): Promise<KafkaBroker> {
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'server.properties');
  await writeFile(config, formatProperties(join(folder, 'data'), node, voters, options.properties));
  await formatStorage(config, CLUSTER_ID, options.formatArgs ?? []);
  const logFile = join(folder, 'broker.log');
  closeSync(openSync(logFile, 'a'));
  const log = (): Promise<string> => readFile(logFile, 'utf8');
  const launch = async (): Promise<KafkaProcess> => {
    const before = (await log()).length;
    const launched = await launchBroker(folder, config, logFile);
    try {
      await readiness(launched, node.port, async () => (await log()).slice(before));
    } catch (error) {
      await launched.end();
      throw error;
    }
    return launched;
  };
  let running = await launch();
  return {
    address: `127.0.0.1:${node.port}`,
    nodeId: node.id,
    log,
    stop: () => running.end(),
    kill: async () => {
      running.signal('SIGKILL');
      await running.end();
    },
    start: async () => {
      if (!running.hasEnded()) throw new Error(`broker ${node.id} is running`);
      running = await launch();
    },
    pause: () => running.signal('SIGSTOP'),
    resume: () => running.signal('SIGCONT'),
  };
}

async function readiness(broker: KafkaProcess, port: number, log: () => Promise<string>): Promise<void> {
  await eventually(
    `a broker on port ${port}`,
    async () => {
      if (broker.hasEnded()) throw new Error(`the broker ended:\n${(await log()).slice(-4_000)}`);
      return (await answers(port)) && /Kafka Server started/.test(await log()) ? true : null;
    },
    START_MS_MAX,
  );
}

/** Whether something takes connections on `port` of this machine; no answer is what "not yet" looks like. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}
