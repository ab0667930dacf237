import { HEADER, type EventLog, type StoredRecord } from '@tachograph/event-log';
import { parseOrigin } from '@tachograph/wire';
import type { Logger } from 'pino';
import type { Clock } from '../context.ts';
import {
  EXPOSURE_KINDS,
  exposureKindOf,
  exposuresIn,
  REVOCATION_MARKS,
  type ExposureKind,
} from '../core/exposure.ts';
import { exposureHash, storeExposures, type ExposureRow } from '../registry/exposures.ts';
import type { Db, Registry } from '../registry/registry.ts';

export type IndexerPorts = {
  readonly log: Pick<EventLog, 'offsets' | 'readRange'>;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Records that are folded before the registry takes them. */
const FOLD_RECORDS_MAX = 5_000;

/**
 * Reads the settled part of the ordered log and keeps, for each device, whom it exposed which targets to. It has a
 * position of its own and runs behind ingest: the appends of devices never wait for it, and what it holds can be
 * made again from the log. Position and rows move in one transaction, so several indexers do no harm.
 *
 * It takes every settled record, also what the log-order filter would not deliver: its device has signed it, and
 * a secret that was seen in the other branch of a fork was seen.
 */
export class ExposureIndexer {
  readonly #ports: IndexerPorts;
  #running: Promise<unknown> | null = null;

  constructor(ports: IndexerPorts) {
    this.#ports = ports;
  }

  /**
   * Reads on to what is settled now, or until `signal` aborts. Whoever asks while it runs waits for the same
   * reading and then for one of their own, which sees what was settled when they asked; both within `signal`.
   * @returns whether it has got there
   */
  async catchUp(signal: AbortSignal): Promise<boolean> {
    while (this.#running !== null) if (!(await endsBefore(signal, this.#running))) return false;
    const rounds = this.#rounds(signal);
    this.#running = rounds;
    try {
      return await rounds;
    } finally {
      this.#running = null;
    }
  }

  /** Whether it could read every record there was: retention may take what it had not come to. */
  async isWhole(): Promise<boolean> {
    const gap = await this.#ports.registry.db
      .selectFrom('exposure_positions')
      .select('partition')
      .where('missed', '>', 0)
      .limit(1)
      .executeTakeFirst();
    return gap === undefined;
  }

  async #rounds(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) if (await this.#round(signal)) return true;
    return false;
  }

  /** `false` where it was stopped, or another indexer was quicker: then it goes on from where that one is. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const settled = await this.#ports.registry.db
      .selectFrom('partitions')
      .leftJoin('exposure_positions', 'exposure_positions.partition', 'partitions.partition')
      .select(['partitions.partition', 'partitions.settled_offset', 'exposure_positions.next_offset'])
      .orderBy('partitions.partition')
      .execute();
    for (const { partition, settled_offset: to, next_offset: from } of settled) {
      if ((from ?? 0) >= to) continue;
      if (!(await this.#read(partition, from, to, signal))) return false;
    }
    return true;
  }

  async #read(partition: number, from: number | null, to: number, signal: AbortSignal): Promise<boolean> {
    const { oldest } = await this.#ports.log.offsets(partition);
    let position = from;
    let folded = new Map<string, ExposureRow>();
    let records = 0;
    const first = Math.min(Math.max(from ?? 0, oldest), to);
    if (first > (from ?? 0)) {
      if (!(await this.#skip(partition, from, first))) return false;
      position = first;
    }
    const save = async (reached: number): Promise<boolean> => {
      const moved = await this.#save(partition, position, reached, [...folded.values()]);
      position = reached;
      folded = new Map();
      return moved;
    };
    for await (const batch of this.#ports.log.readRange(partition, first, to)) {
      for (const record of batch) fold(folded, record);
      records += batch.length;
      const last = batch.at(-1);
      if (records < FOLD_RECORDS_MAX || last === undefined) continue;
      records = 0;
      if (!(await save(last.offset + 1)) || signal.aborted) return false;
    }
    return save(to);
  }

  /** `false`, and nothing is stored, where another indexer has moved the position meanwhile. */
  #save(partition: number, from: number | null, to: number, rows: readonly ExposureRow[]): Promise<boolean> {
    return this.#ports.registry.checkpoint(async (trx) => {
      if (!(await movePosition(trx, { partition, from, to, missed: 0 }))) return false;
      await storeExposures(trx, rows, this.#ports.clock());
      return true;
    });
  }

  /** Passes over records that are gone, and remembers that: the log cannot tell it again once this one is forgotten. */
  async #skip(partition: number, from: number | null, to: number): Promise<boolean> {
    const missed = to - (from ?? 0);
    const move = { partition, from, to, missed };
    const moved = await this.#ports.registry.transaction((trx) => movePosition(trx, move));
    if (moved) this.#ports.logger.error({ partition, from: from ?? 0, to }, 'exposures.missed');
    return moved;
  }
}

type PositionMove = {
  readonly partition: number;
  /** `null` before the first. */
  readonly from: number | null;
  readonly to: number;
  readonly missed: number;
};

/** `false` where another indexer has moved it meanwhile. */
async function movePosition(trx: Db, { partition, from, to, missed }: PositionMove): Promise<boolean> {
  if (from === null) {
    await trx
      .insertInto('exposure_positions')
      .values({ partition, next_offset: 0 })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const { numUpdatedRows: moved } = await trx
    .updateTable('exposure_positions')
    .set((eb) => ({ next_offset: to, missed: eb('missed', '+', missed) }))
    .where('partition', '=', partition)
    .where('next_offset', '=', from ?? 0)
    .executeTakeFirstOrThrow();
  return moved === 1n;
}

/** Whether `work` is over, well or not, before `signal` aborts. */
function endsBefore(signal: AbortSignal, work: Promise<unknown>): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const abort = (): void => resolve(false);
    signal.addEventListener('abort', abort, { once: true });
    const end = (): void => {
      signal.removeEventListener('abort', abort);
      resolve(true);
    };
    // How it ends is told to whoever began it.
    work.then(end, end);
  });
}

function fold(folded: Map<string, ExposureRow>, record: StoredRecord): void {
  const { headers } = record;
  // Most actions expose nothing: only what may is parsed.
  const kind = exposureKindOf(headers[HEADER.type] ?? '');
  if (kind === null) return;
  for (const row of rowsOf(record, kind)) {
    const id = `${row.tenant}/${row.device}/${Buffer.from(exposureHash(row)).toString('base64')}`;
    const known = folded.get(id);
    folded.set(id, known === undefined ? row : merge(known, row));
  }
}

function rowsOf({ headers, value }: StoredRecord, kind: ExposureKind): ExposureRow[] {
  const origin = parseOrigin(headers[HEADER.source] ?? '');
  const at = Date.parse(headers[HEADER.time] ?? '');
  if (!origin.ok || Number.isNaN(at)) return [];
  const { tenant, device } = origin.value;
  const mark = headers[HEADER.revocation] ?? '';
  return exposuresIn(value).map(({ actor, email, target }) => ({
    tenant,
    device,
    actor,
    email,
    targetType: target.type,
    targetId: target.id,
    targetName: target.name ?? null,
    kinds: EXPOSURE_KINDS[kind],
    marks: isMark(mark) ? REVOCATION_MARKS[mark] : 0,
    firstAt: at,
    lastAt: at,
  }));
}

function isMark(mark: string): mark is keyof typeof REVOCATION_MARKS {
  return Object.hasOwn(REVOCATION_MARKS, mark);
}

function merge(a: ExposureRow, b: ExposureRow): ExposureRow {
  return {
    ...b,
    email: b.email ?? a.email,
    targetName: b.targetName ?? a.targetName,
    kinds: a.kinds | b.kinds,
    marks: a.marks | b.marks,
    firstAt: Math.min(a.firstAt, b.firstAt),
    lastAt: Math.max(a.lastAt, b.lastAt),
  };
}
