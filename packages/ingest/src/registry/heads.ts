import type { LeafWindow } from '@tachograph/event-log';
import { LIMITS, type Bytes, type CompactRange } from '@tachograph/wire';
import type { Carried } from '../core/leaf-content.ts';
import { insertCompiled } from './compiled.ts';
import { packHashes, unpackHashes, unpackRange } from './ranges.ts';
import type { Db } from './registry.ts';

/** One device's log: the same key may have a log in several tenants. */
export type LogKey = { readonly tenant: string; readonly device: string };

/** The newest settled state of a device's log. */
export type Head = {
  readonly range: CompactRange;
  /** The device-signed note at this size; `null` at 0 and after a restore. */
  readonly checkpoint: string | null;
  /** The time that the newest cosignature carries, POSIX seconds; 0 before the first. */
  readonly cosignedSeconds: number;
  readonly carried: Carried | null;
  /** The time of the receipt at which this log was last adopted, POSIX seconds: older receipts vouch no more. */
  readonly adoptedSeconds: number | null;
};

export const EMPTY_HEAD: Head = {
  range: { size: 0, hashes: [] },
  checkpoint: null,
  cosignedSeconds: 0,
  carried: null,
  adoptedSeconds: null,
};

export function logId({ tenant, device }: LogKey): string {
  return `${tenant}/${device}`;
}

/** The heads of those of `keys` that have one, by {@link logId}. */
export async function loadHeads(db: Db, keys: readonly LogKey[]): Promise<Map<string, Head>> {
  const heads = new Map<string, Head>();
  for (const [tenant, devices] of byTenant(keys)) {
    const rows = await db
      .selectFrom('heads')
      .select([
        'device',
        'size',
        'range',
        'checkpoint',
        'cosigned_seconds',
        'carried_from',
        'carried_count',
        'adopted_seconds',
      ])
      .where('tenant', '=', tenant)
      .where('device', 'in', devices)
      .execute();
    for (const row of rows) {
      const { carried_from: from, carried_count: count } = row;
      heads.set(logId({ tenant, device: row.device }), {
        range: unpackRange(row.size, row.range),
        checkpoint: row.checkpoint,
        cosignedSeconds: row.cosigned_seconds,
        carried: from === null || count === null ? null : { from, count },
        adoptedSeconds: row.adopted_seconds,
      });
    }
  }
  return heads;
}

/** Writes heads as they are now, whatever was there. */
export async function storeHeads(
  trx: Db,
  partition: number,
  heads: readonly (LogKey & { readonly head: Head; readonly endOffset: number | null })[],
): Promise<void> {
  const rows = heads.map(({ tenant, device, head, endOffset }) => ({
    tenant,
    device,
    partition,
    size: head.range.size,
    range: packHashes(head.range.hashes),
    checkpoint: head.checkpoint,
    cosigned_seconds: head.cosignedSeconds,
    carried_from: head.carried?.from ?? null,
    carried_count: head.carried?.count ?? null,
    adopted_seconds: head.adoptedSeconds,
    end_offset: endOffset,
  }));
  for (const some of inRows(rows)) {
    await insertCompiled(trx, 'heads', some, (values) =>
      trx
        .insertInto('heads')
        .values(values)
        .onConflict((conflict) =>
          conflict.columns(['tenant', 'device']).doUpdateSet((eb) => ({
            size: eb.ref('excluded.size'),
            range: eb.ref('excluded.range'),
            checkpoint: eb.ref('excluded.checkpoint'),
            cosigned_seconds: eb.ref('excluded.cosigned_seconds'),
            carried_from: eb.ref('excluded.carried_from'),
            carried_count: eb.ref('excluded.carried_count'),
            adopted_seconds: eb.ref('excluded.adopted_seconds'),
            end_offset: eb.fn.coalesce('excluded.end_offset', 'heads.end_offset'),
          })),
        ),
    );
  }
}

/** The hashes of one append, with the range at which they begin. */
export type WindowPart = LogKey & { readonly from: CompactRange; readonly hashes: readonly Bytes[] };

export async function storeWindows(trx: Db, parts: readonly WindowPart[]): Promise<void> {
  const rows = parts.map(({ tenant, device, from, hashes }) => ({
    tenant,
    device,
    from_size: from.size,
    to_size: from.size + hashes.length,
    range: packHashes(from.hashes),
    hashes: packHashes(hashes),
  }));
  for (const some of inRows(rows)) {
    await insertCompiled(trx, 'windows', some, (values) =>
      trx
        .insertInto('windows')
        .values(values)
        .onConflict((conflict) =>
          conflict.columns(['tenant', 'device', 'from_size']).doUpdateSet((eb) => ({
            to_size: eb.ref('excluded.to_size'),
            range: eb.ref('excluded.range'),
            hashes: eb.ref('excluded.hashes'),
          })),
        ),
    );
  }
  for (const { tenant, device, from, hashes } of parts) {
    const size = from.size + hashes.length;
    // Pruning at every append would double its writes: once in a while is enough to keep a bound.
    if (Math.floor(from.size / PRUNE_EVERY_LEAVES) === Math.floor(size / PRUNE_EVERY_LEAVES)) continue;
    await trx
      .deleteFrom('windows')
      .where('tenant', '=', tenant)
      .where('device', '=', device)
      .where('to_size', '<=', size - LIMITS.windowLeavesMax)
      .execute();
  }
}

const PRUNE_EVERY_LEAVES = 1_000;

/** The newest leaf hashes of a log whose size is `size`, without holes, as far back as they are kept. */
export async function loadWindow(db: Db, key: LogKey, head: CompactRange): Promise<LeafWindow> {
  const rows = await db
    .selectFrom('windows')
    .select(['from_size', 'to_size', 'range', 'hashes'])
    .where('tenant', '=', key.tenant)
    .where('device', '=', key.device)
    .where('to_size', '<=', head.size)
    .orderBy('to_size', 'desc')
    .execute();
  const parts: Bytes[][] = [];
  let from = head;
  for (const row of rows) {
    if (row.to_size !== from.size) break;
    parts.unshift(unpackHashes(row.hashes));
    from = unpackRange(row.from_size, row.range);
  }
  return { from, hashes: parts.flat() };
}

function byTenant(keys: readonly LogKey[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { tenant, device } of keys) groups.set(tenant, [...(groups.get(tenant) ?? []), device]);
  return groups;
}

/** Databases bound the number of parameters of one statement. */
const ROWS_PER_STATEMENT = 100;

export function inRows<Row>(rows: readonly Row[]): Row[][] {
  const groups: Row[][] = [];
  for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT)
    groups.push(rows.slice(at, at + ROWS_PER_STATEMENT));
  return groups;
}
