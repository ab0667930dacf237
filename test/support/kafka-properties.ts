/** A further way into a broker. What clients are told of the brokers depends on the listener that they came in by. */
export type KafkaListener = {
  /** In capitals, as `listener.name.…` settings spell it in small letters. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly port: number;
  /** `host:port` that clients are told instead: a proxy's. */
  readonly advertised?: string;
};

export type KafkaNode = {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly listeners: readonly KafkaListener[];
};

/** A server.properties of a broker that is a controller too. `overrides` win. */
export function formatProperties(
  dataDir: string,
  node: KafkaNode,
  voters: readonly KafkaNode[],
  overrides: Readonly<Record<string, string>> = {},
): string {
  const plain: KafkaListener = { name: 'PLAINTEXT', protocol: 'PLAINTEXT', port: node.port };
  const own = [plain, ...node.listeners];
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': voters
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(','),
    listeners: [...own.map(placeOf), `CONTROLLER://127.0.0.1:${node.controllerPort}`].join(','),
    'advertised.listeners': own.map(advertisementOf).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': plain.name,
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      ...own.map(({ name, protocol }) => `${name}:${protocol}`),
    ].join(','),
    'log.dirs': dataDir,
    'auto.create.topics.enable': 'false',
    // Three seconds by default, in which a new group waits for more members; ours have one.
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    ...overrides,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function placeOf({ name, port }: KafkaListener): string {
  return `${name}://127.0.0.1:${port}`;
}

function advertisementOf({ name, port, advertised }: KafkaListener): string {
  return `${name}://${advertised ?? `127.0.0.1:${port}`}`;
}
