import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { createKafkaTopic } from '@tachograph/event-log';
import {
  parseAuthority,
  parseCheckpointNote,
  rootOf,
  toHex,
  verifyCosignature,
  verifyReceipt,
  type NoteKey,
} from '@tachograph/wire';
import { loadIngestKeys } from '../../packages/ingest/src/keys/load-keys.ts';
import { admin } from './admin.ts';
import { cli } from './cli.ts';
import { post, type Answer, type TestDevice } from './device.ts';
import type { KafkaBroker } from './kafka.ts';
import { startProxiedKafka } from './kafka-proxy/proxied-kafka.ts';
import type { KafkaProxy } from './kafka-proxy/proxy.ts';
import { startPostgres, type Postgres } from './postgres.ts';
import { serve, type Served } from './serve.ts';
import { tempDir } from './temp-dir.ts';

export const TENANT = 'acme';
const TOPIC = 'audit.events';

/** Kafka, PostgreSQL and what nodes over them need; the tenant exists. */
export type Deployment = {
  readonly broker: KafkaBroker;
  /** Between the broker and the nodes that go this way. */
  readonly proxy: KafkaProxy;
  readonly topic: string;
  readonly postgres: Postgres;
  readonly databaseUrl: string;
  /** The keys whose cosignatures count. */
  readonly cosigners: readonly NoteKey[];
  /** An ingest node with a folder of its own, in which stand the keys and nothing else. */
  readonly node: (name: string, way?: 'direct' | 'proxied') => Promise<Served>;
  /** The control API, which the deployment keeps running. */
  readonly control: Served;
  readonly stop: () => Promise<void>;
};

/** Deadlines that a test can outwait. */
const SHORT = { APPEND_TIMEOUT_SECONDS: '3', REQUEST_TIMEOUT_SECONDS: '10' };

export async function deploy(): Promise<Deployment> {
  const dir = await tempDir();
  const [kafka, postgres] = await Promise.all([startProxiedKafka(join(dir.path, 'kafka')), startPostgres()]);
  const { broker, proxy } = kafka;
  const single = { partitions: 2, replicas: 1, minInSync: 1, retentionMs: null };
  await createKafkaTopic({ brokers: [broker.address], topic: TOPIC, ...single });
  const databaseUrl = postgres.createDatabase();
  const env = {
    KAFKA_BROKERS: broker.address,
    KAFKA_ALLOW_UNSAFE: 'on',
    DATABASE_URL: databaseUrl,
    ...SHORT,
  };
  const controlDir = join(dir.path, 'control');
  const made = await cli(['keys', 'create'], { DATA_DIR: controlDir });
  if (made.code !== 0) throw new Error(made.output);
  const authority = parseAuthority('localhost');
  if (!authority.ok) throw new Error(authority.fault.detail);
  const keys = await loadIngestKeys(controlDir, authority.value);
  if (!keys.ok) throw new Error(keys.fault.detail);
  const control = await serve({ dataDir: controlDir, role: 'control', env });
  await admin(control, 'POST', '/tenants', { id: TENANT, name: 'Acme' });
  const nodes: Served[] = [];
  return {
    broker,
    proxy,
    topic: TOPIC,
    postgres,
    databaseUrl,
    cosigners: keys.value.cosignerKeys,
    control,
    node: async (name, way = 'direct') => {
      const dataDir = join(dir.path, name);
      await cp(join(controlDir, 'keys'), join(dataDir, 'keys'), { recursive: true });
      const brokers = way === 'proxied' ? { KAFKA_BROKERS: kafka.address } : {};
      const node = await serve({ dataDir, role: 'ingest', env: { ...env, ...brokers } });
      nodes.push(node);
      return node;
    },
    stop: async () => {
      await Promise.all([...nodes, control].map((node) => node.kill()));
      await Promise.all([kafka.stop(), postgres.stop()]);
      await dir.remove();
    },
  };
}

/** Everything that ingest has cosigned of logs, over all nodes: two roots of one size would be a lie to somebody. */
export class Cosigned {
  readonly #keys: readonly NoteKey[];
  readonly #roots = new Map<string, string>();
  readonly #newest = new Map<string, number>();

  constructor(keys: readonly NoteKey[]) {
    this.#keys = keys;
  }

  /** Up to where a log was acknowledged. */
  sizeOf({ origin }: TestDevice): number {
    return this.#newest.get(origin) ?? 0;
  }

  /**
   * Checks an answer to the append of `device` up to `size`, and keeps what it says.
   * @throws where it is no answer that a client could believe
   */
  async take(device: TestDevice, size: number, { status, body }: Answer): Promise<void> {
    if (status === 200) {
      const receipt = textOf(body, 'receipt');
      const seen = await verifyReceipt(await device.checkpointNote(size), receipt, this.#keys);
      if (seen === null) throw new Error(`the receipt of ${size} does not verify`);
      this.#keep(device, size, toHex(rootOf(device.range(size))));
      this.#newest.set(device.origin, Math.max(size, this.sizeOf(device)));
    } else if (status === 409 || status === 422) {
      if (body['checkpoint'] === null) return;
      const head = parseCheckpointNote(textOf(body, 'checkpoint'));
      if (!head.ok) throw new Error(head.fault.detail);
      if ((await verifyCosignature(head.value, head.value.note.signatures, this.#keys)) === null)
        throw new Error('the head of a conflict is not cosigned');
      this.#keep(device, head.value.size, toHex(head.value.root));
    } else if (status !== 503 && status !== 429) {
      throw new Error(`${status}: ${JSON.stringify(body)}`);
    }
  }

  #keep({ origin }: TestDevice, size: number, root: string): void {
    const known = this.#roots.get(`${origin} ${size}`);
    if (known !== undefined && known !== root) throw new Error(`${origin} has two cosigned roots of ${size}`);
    this.#roots.set(`${origin} ${size}`, root);
  }
}

/** A member of an answer that has to be text. */
export function textOf(body: Answer['body'], name: string): string {
  const text = body[name];
  if (typeof text !== 'string') throw new Error(`no ${name} in ${JSON.stringify(body)}`);
  return text;
}

/** Sends entries from `old` to `size`; `null` where the node gave no answer at all. */
export async function send(
  node: Served,
  device: TestDevice,
  old: number,
  size: number,
): Promise<Answer | null> {
  const body = await device.append(old, size);
  return post(`${node.url}${device.path}`, body).catch(() => null);
}

/** Replays as a client does, at `nodes` in turn, until all that `device` holds was acknowledged. */
export async function replay(
  nodes: readonly Served[],
  device: TestDevice,
  cosigned: Cosigned,
): Promise<void> {
  let old = cosigned.sizeOf(device);
  for (let attempt = 0; attempt < 200; attempt++) {
    const size = device.leaves.length;
    const answer = await send(nodes[attempt % nodes.length]!, device, old, size);
    if (answer !== null) {
      await cosigned.take(device, size, answer);
      if (answer.status === 200) return;
      if (answer.status === 409) old = Number(answer.body['size']);
    }
    if (answer === null || answer.status === 503) await pause(50);
  }
  throw new Error('the replay did not end');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Stops a process without ending it, or lets it go on. */
export function signal(node: Served, name: 'SIGSTOP' | 'SIGCONT'): void {
  process.kill(node.pid, name);
}
