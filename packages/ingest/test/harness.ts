import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AppendAssembler,
  decide,
  HEADER,
  openEmbeddedLog,
  type EventLog,
  type StoredRecord,
} from '@tachograph/event-log';
import {
  EMPTY_RANGE,
  parseAuthority,
  verifyReceipt,
  type Bytes,
  type CompactRange,
  type NoteSigner,
} from '@tachograph/wire';
import type { Insertable } from 'kysely';
import { pino } from 'pino';
import { loadConfig, type IngestConfig } from '../src/config.ts';
import { createKeys } from '../src/keys/create-keys.ts';
import { loadDirectiveKeys } from '../src/keys/directive-key.ts';
import { loadIngestKeys, type LoadedKeys } from '../src/keys/load-keys.ts';
import { DEFAULT_POLICY } from '../src/core/policy.ts';
import { openSqliteRegistry, type Registry } from '../src/registry/registry.ts';
import type { RegistrySchema } from '../src/registry/schema.ts';
import { Secret } from '../src/secret.ts';
import { createIngest, type Ingest } from '../src/server.ts';
import { createTenantLog } from '../src/tenant-log/outbox.ts';
import type { Timing } from '../src/timing.ts';
import { TestDevice } from './test-device.ts';

export const AUTHORITY = 'audit.example.com';
export const TENANT = 'acme';
const ADMIN_TOKEN = 'an-administrator-token-for-tests';

type DeviceRow = Partial<Insertable<RegistrySchema['devices']>>;

/** A deployment in a folder of its own. Nodes come and go over it; each has its own connections to the files. */
export class Harness {
  readonly folder: string;
  readonly config: IngestConfig;
  /** Those that the next node starts with. */
  keys: LoadedKeys;
  directives: readonly NoteSigner[];
  /** What nodes take for the time: starts at the true time, and moves only when it is told to. */
  now = Date.now();
  readonly #nodes: Node[] = [];

  private constructor(
    config: IngestConfig,
    keys: LoadedKeys,
    directives: readonly NoteSigner[],
    folder: string,
  ) {
    this.config = config;
    this.keys = keys;
    this.directives = directives;
    this.folder = folder;
  }

  /** `keysBefore` are those of an earlier deployment that lost its stores. */
  static async create(overrides: Partial<IngestConfig> = {}, keysBefore?: LoadedKeys): Promise<Harness> {
    const folder = mkdtempSync(join(tmpdir(), 'ingest-'));
    const loaded = loadConfig({ AUTHORITY, DATA_DIR: folder, LOG_LEVEL: 'silent' });
    const authority = parseAuthority(AUTHORITY);
    if (!loaded.ok || !authority.ok) throw new Error('the test configuration is wrong');
    const created = await createKeys(folder, authority.value);
    if (!created.ok) throw new Error(created.fault.detail);
    const keys = await loadIngestKeys(folder, authority.value);
    if (!keys.ok) throw new Error(keys.fault.detail);
    const present = keysBefore ?? keys.value;
    const directive = await loadDirectiveKeys(folder, authority.value);
    if (!directive.ok) throw new Error(directive.fault.detail);
    const config = { ...loaded.value, adminToken: new Secret(ADMIN_TOKEN), ...overrides };
    const harness = new Harness(config, present, directive.value, folder);
    const registry = await harness.openRegistry();
    await registry.transaction(async (trx) => {
      await trx
        .insertInto('tenants')
        .values({
          id: TENANT,
          name: 'Acme',
          parent: null,
          policy: JSON.stringify(DEFAULT_POLICY),
          created_at: harness.now,
        })
        .execute();
      await createTenantLog(trx, {
        tenant: TENANT,
        publicKey: present.log.key.publicKey,
        at: harness.now,
      });
    });
    await registry.close();
    return harness;
  }

  openRegistry(): Promise<Registry> {
    return openSqliteRegistry(join(this.folder, 'registry.sqlite'));
  }

  openLog(): Promise<EventLog> {
    return openEmbeddedLog({ file: join(this.folder, 'log.sqlite') });
  }

  /** Starts a node. `wrap` puts faults between it and what it stands on. */
  async node(
    wrap: {
      log?: (log: EventLog) => EventLog;
      registry?: (registry: Registry) => Registry;
      timing?: Timing;
    } = {},
  ): Promise<Node> {
    const log = await this.openLog();
    const registry = await this.openRegistry();
    const ingest = await createIngest({
      config: this.config,
      keys: this.keys,
      directives: this.directives,
      log: wrap.log?.(log) ?? log,
      registry: wrap.registry?.(registry) ?? registry,
      logger: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
      clock: () => this.now,
      ...(wrap.timing === undefined ? {} : { timing: wrap.timing }),
    });
    const url = await ingest.app.listen({ host: '127.0.0.1', port: 0 });
    const node = new Node(ingest, url, log, registry);
    this.#nodes.push(node);
    return node;
  }

  /** A device with its row, as enrolment leaves it. */
  async enrolled(node: Node, row: DeviceRow = {}): Promise<TestDevice> {
    const device = await TestDevice.create(AUTHORITY, TENANT);
    await this.enrol(node, device, row);
    return device;
  }

  async enrol(node: Node, device: TestDevice, row: DeviceRow = {}): Promise<void> {
    await node.registry.db
      .insertInto('devices')
      .values({
        tenant: TENANT,
        device: device.device,
        public_key: device.publicKey,
        installation: device.device,
        installation_label: null,
        platform: null,
        subject: null,
        status: 'enrolled',
        lease_profile: null,
        predecessor: null,
        enrolled_at: this.now,
        revoked_at: null,
        revocation_reason: null,
        ...row,
      })
      .execute();
  }

  /** Whether a receipt verifies over the device's own checkpoint of `size`, and its time. */
  async receiptTime(device: TestDevice, size: number, receipt: string): Promise<number | null> {
    const cosigned = await verifyReceipt(await device.checkpointNote(size), receipt, this.keys.cosignerKeys);
    return cosigned?.timestamp ?? null;
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export type Answered = {
  readonly status: number;
  readonly body: AnswerBody;
  readonly retryAfter: string | null;
};
export type AnswerBody = {
  readonly code?: string;
  readonly receipt?: string;
  readonly rejected?: readonly { readonly index: number; readonly code: string }[];
  readonly lease?: string;
  readonly keys?: string;
  readonly directives?: readonly string[];
  readonly size?: number;
  readonly checkpoint?: string | null;
  readonly status?: unknown;
  readonly nextCheckInSeconds?: number;
  readonly retryAfterSeconds?: number;
};

export class Node {
  readonly ingest: Ingest;
  readonly url: string;
  readonly log: EventLog;
  readonly registry: Registry;
  #closed: Promise<void> | null = null;

  constructor(ingest: Ingest, url: string, log: EventLog, registry: Registry) {
    this.url = url;
    this.ingest = ingest;
    this.log = log;
    this.registry = registry;
  }

  async post(
    path: string,
    body: Bytes | string,
    contentType = 'text/plain',
    headers: { readonly [name: string]: string } = {},
  ): Promise<Answered> {
    const reply = await fetch(`${this.url}${path}`, {
      method: 'POST',
      body,
      headers: { ...headers, 'content-type': contentType },
    });
    return {
      status: reply.status,
      body: (await reply.json()) as AnswerBody,
      retryAfter: reply.headers.get('retry-after'),
    };
  }

  /** Calls the control API, as the administrator of all unless another token is given. */
  async admin(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
    token = ADMIN_TOKEN,
  ): Promise<{ readonly status: number; readonly body: { readonly [name: string]: unknown } }> {
    const reply = await fetch(`${this.url}/admin/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: reply.status, body: (await reply.json()) as { [name: string]: unknown } };
  }

  /** Sends the leaves of `device` from `old` to `size`. */
  async send(
    device: TestDevice,
    old: number,
    size = device.leaves.length,
    request?: Parameters<TestDevice['append']>[2],
  ): Promise<Answered> {
    return this.post(device.path, await device.append(old, size, request));
  }

  /** Every record of the log, partition by partition. */
  async records(): Promise<StoredRecord[]> {
    const { partitions } = await this.log.describe();
    const records: StoredRecord[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const { oldest, next } = await this.log.offsets(partition);
      for await (const batch of this.log.readRange(partition, oldest, next)) records.push(...batch);
    }
    return records;
  }

  async recordsOf(device: TestDevice): Promise<StoredRecord[]> {
    return (await this.records()).filter(({ headers }) => headers[HEADER.source] === device.origin);
  }

  /** What a reader delivers of one log: the filter over everything of it that stands in the topic. */
  async delivered(origin: string): Promise<StoredRecord[]> {
    const assembler = new AppendAssembler();
    const records: StoredRecord[] = [];
    const hashes: Bytes[] = [];
    let state: CompactRange = EMPTY_RANGE;
    for (const record of await this.records()) {
      if (record.headers[HEADER.source] !== origin) continue;
      for (const run of assembler.push(record)) {
        if (run.kind === 'broken') throw new Error(run.broken.reason);
        const window = { from: EMPTY_RANGE, hashes };
        const decision = decide(state, run.append, { window, receiptVerifies: true });
        if (decision.kind !== 'accepted') continue;
        if (decision.gap !== null) throw new Error('something acknowledged is missing');
        state = decision.next;
        hashes.push(...run.append.leafHashes.slice(decision.deliverFrom));
        records.push(...run.append.records.slice(decision.deliverFrom));
      }
    }
    return records;
  }

  /** What the tenant's own log says, once the outbox is empty. */
  async tenantEvents(): Promise<{ readonly [name: string]: unknown }[]> {
    await eventually(async () => {
      const waiting = await this.registry.db.selectFrom('outbox').select('leaf_index').execute();
      return waiting.length === 0;
    });
    const { db } = this.registry;
    const { device } = await db.selectFrom('tenant_logs').select('device').executeTakeFirstOrThrow();
    const records = await this.delivered(`${AUTHORITY}/${TENANT}/${device}`);
    return records.map(
      ({ value }) => JSON.parse(Buffer.from(value).toString()) as { [name: string]: unknown },
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Ends as a killed process does: nothing is waited for, and what its stores had begun is undone. */
  abandon(): Promise<void> {
    this.#closed ??= this.#abandon();
    return this.#closed;
  }

  async #abandon(): Promise<void> {
    // Its timers end with it. It waits for what never comes, so nobody waits for it.
    void this.ingest.close();
    this.ingest.app.server.closeAllConnections();
    await this.registry.close();
    await this.log.close();
  }

  async #close(): Promise<void> {
    await this.ingest.close();
    await this.registry.close();
    await this.log.close();
  }
}

const EVENTUALLY_MS = 10_000;

/** Waits until `condition` holds. */
export async function eventually(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + EVENTUALLY_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition did not come to hold');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** The leaves that a reader delivers of a device's log. */
export async function delivered(node: Node, device: TestDevice): Promise<string[]> {
  return (await node.delivered(device.origin)).map(({ value }) => Buffer.from(value).toString());
}

/** Sends what `device` holds as a client does: from the size that ingest names, until all of it has a receipt. */
export async function replay(node: Node, device: TestDevice): Promise<void> {
  let old = 0;
  for (let attempt = 0; attempt < 20; attempt++) {
    const { status, body } = await node.send(device, old);
    if (status === 200) return;
    if (status === 409) old = body.size!;
    if (status === 409 && old === device.leaves.length) return;
  }
  throw new Error('the replay did not end');
}
