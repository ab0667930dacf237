import { bytesEqual, LIMITS, type Bytes } from '@tachograph/wire';
import {
  appendLeaves,
  deviceIdOf,
  formatCheckpoint,
  noteKey,
  originOf,
  rootOf,
  SIGNATURE_TYPE,
  signNote,
  type NoteSigner,
} from '@tachograph/wire';
import type { IngestContext } from '../context.ts';
import { readLeaf, type ReadLeaf } from '../core/leaf-content.ts';
import type { AppendJob } from '../lane/job.ts';
import type { Lanes } from '../lane/lanes.ts';
import type { Db } from '../registry/registry.ts';
import { moveTenantLogs } from './move-logs.ts';
import { EMPTY_HEAD, loadHeads, loadWindow, logId, type Head, type LogKey } from '../registry/heads.ts';

type Ports = Pick<IngestContext, 'config' | 'clock' | 'registry' | 'keys' | 'logger' | 'metrics'>;

/** How often the outbox is looked at without being woken: another node may have died after filling it. */
const IDLE_MS = 5_000;
const ROUND_LEAVES_MAX = 500;

/**
 * Moves the events of the tenants' own logs from the outbox into the ordered log, through the same lanes as every
 * device's. A second drainer is harmless: the log has one size, and whoever comes second is told so.
 */
export class TenantLogDrainer {
  readonly #ports: Ports;
  readonly #lanes: Lanes;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #isWoken = false;
  #isClosed = false;

  constructor(ports: Ports, lanes: Lanes) {
    this.#ports = ports;
    this.#lanes = lanes;
  }

  /** Looks at the outbox now. Safe to call at any time, and as often as one likes. */
  wake(): void {
    if (this.#isClosed) return;
    this.#isWoken = true;
    this.#running ??= this.#run();
  }

  /** Lets the round under way end. What is left in the outbox waits there. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    try {
      while (this.#isWoken && !this.#isClosed) {
        this.#isWoken = false;
        await this.#drainAll();
      }
    } catch (error) {
      this.#ports.logger.error({ err: error }, 'outbox.drain_failed');
    }
    this.#running = null;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.wake(), IDLE_MS);
    this.#timer.unref();
  }

  async #drainAll(): Promise<void> {
    const { registry, config, clock, keys, logger } = this.#ports;
    const { db } = registry;
    const moved = await moveTenantLogs({ authority: config.authority, registry, clock, key: keys.log });
    if (moved > 0) logger.info({ tenants: moved }, 'tenant_logs.moved');
    const tenants = await db
      .selectFrom('outbox')
      .innerJoin('tenant_logs', 'tenant_logs.tenant', 'outbox.tenant')
      .select((eb) => [
        'outbox.tenant',
        'tenant_logs.device',
        eb.fn.countAll<number | string>().as('waiting'),
      ])
      .groupBy(['outbox.tenant', 'tenant_logs.device'])
      .execute();
    this.#ports.metrics.outboxWaiting(tenants.reduce((sum, { waiting }) => sum + Number(waiting), 0));
    await Promise.all(tenants.map((log) => this.#drain(log)));
  }

  /** One round for one tenant; more rounds follow as long as they get on. */
  async #drain(log: LogKey): Promise<void> {
    const { registry, logger, keys } = this.#ports;
    const signer = keys.logs.find(({ key }) => deviceIdOf(key.publicKey) === log.device);
    if (signer === undefined) {
      logger.error({ tenant: log.tenant }, 'outbox.key_unknown');
      return;
    }
    const head = (await loadHeads(registry.db, [log])).get(logId(log)) ?? EMPTY_HEAD;
    await this.#dropSettled(log, head);
    const rows = await registry.db
      .selectFrom('outbox')
      .select(['leaf_index', 'leaf'])
      .where('tenant', '=', log.tenant)
      .where('leaf_index', '>=', head.range.size)
      .orderBy('leaf_index')
      .limit(ROUND_LEAVES_MAX)
      .execute();
    const leaves: Bytes[] = [];
    let bytes = 0;
    for (const [i, row] of rows.entries()) {
      bytes += row.leaf.length + 1;
      if (row.leaf_index !== head.range.size + i || bytes > LIMITS.appendBytesMax / 2) break;
      leaves.push(row.leaf);
    }
    if (leaves.length === 0) return;
    const result = await this.#lanes.submit(
      await this.#job(
        log,
        signer,
        head,
        leaves.map((leaf) => readLeaf(leaf, true)),
      ),
      null,
    );
    if (result.kind === 'settled') {
      await this.#dropSettled(log, (await loadHeads(registry.db, [log])).get(logId(log)) ?? EMPTY_HEAD);
      this.#isWoken ||= rows.length > leaves.length || rows.length === ROUND_LEAVES_MAX;
      // What was drained last under the old key has cleared the way to the new one.
      this.#isWoken ||= signer !== keys.logs.at(-1);
    } else if (result.kind !== 'refused') {
      // Another drainer was quicker.
      this.#isWoken = true;
    } else {
      logger.warn({ tenant: log.tenant, code: result.fault.code }, 'outbox.append_refused');
    }
  }

  /**
   * Drops what the log holds. A registry that was restored from a backup may have given an index twice: what is
   * not in the log under its index gets a new one.
   */
  async #dropSettled(log: LogKey, head: Head): Promise<void> {
    const { size } = head.range;
    await this.#ports.registry.transaction(async (trx) => {
      await trx
        .updateTable('tenant_logs')
        .set({ next_index: size })
        .where('tenant', '=', log.tenant)
        .where('next_index', '<', size)
        .execute();
      const settled = await trx
        .selectFrom('outbox')
        .select(['leaf_index', 'leaf'])
        .where('tenant', '=', log.tenant)
        .where('leaf_index', '<', size)
        .orderBy('leaf_index')
        .execute();
      if (settled.length === 0) return;
      const window = await loadWindow(trx, log, head.range);
      for (const row of settled) {
        const there = window.hashes[row.leaf_index - window.from.size];
        const isOther = there !== undefined && !bytesEqual(there, readLeaf(row.leaf, true).hash);
        if (!isOther) continue;
        const { next_index: next } = await trx
          .updateTable('tenant_logs')
          .set((eb) => ({ next_index: eb('next_index', '+', 1) }))
          .where('tenant', '=', log.tenant)
          .returning('next_index')
          .executeTakeFirstOrThrow();
        await trx
          .insertInto('outbox')
          .values({ tenant: log.tenant, leaf_index: next - 1, leaf: row.leaf })
          .execute();
      }
      await trx
        .deleteFrom('outbox')
        .where('tenant', '=', log.tenant)
        .where('leaf_index', '<', size)
        .execute();
    });
  }

  async #job(
    { tenant, device }: LogKey,
    own: NoteSigner,
    head: Head,
    leaves: readonly ReadLeaf[],
  ): Promise<AppendJob> {
    const { config, clock, registry } = this.#ports;
    const { publicKey } = own.key;
    const origin = originOf(
      config.authority,
      tenant as Parameters<typeof originOf>[1],
      deviceIdOf(publicKey),
    );
    const leafHashes = leaves.map(({ hash }) => hash);
    const next = appendLeaves(head.range, leafHashes);
    const root = rootOf(next);
    // As every device's: the key that signs a log's checkpoints is named for the log.
    const signer = { key: noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey), sign: own.sign };
    return {
      predecessor: null,
      sighting: null,
      source: {
        tenant,
        device,
        installation: await installationOf(registry.db, { tenant, device }),
        origin,
        claim: { old: head.range.size, size: next.size, root, leafHashes },
        leaves,
        checkpoint: await signNote(formatCheckpoint({ origin, size: next.size, root }), signer),
        deviceStatus: 'enrolled',
        revokedAt: null,
        receivedAt: clock(),
        sender: null,
        pendingCount: null,
        oldestPendingAt: null,
        traceparent: null,
      },
    };
  }
}

/** All logs that a tenant has had are one line, and go to one partition. */
async function installationOf(db: Db, { tenant, device }: LogKey): Promise<string> {
  const { installation } = await db
    .selectFrom('devices')
    .select('installation')
    .where('tenant', '=', tenant)
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
  return installation;
}
