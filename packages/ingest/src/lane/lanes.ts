import { partitionOf } from '@tachograph/event-log';
import type { Fault } from '@tachograph/wire';
import { addPartitions } from '../registry/settlement.ts';
import type { AppendJob, JobResult } from './job.ts';
import { Lane } from './lane.ts';
import type { LanePorts } from './ports.ts';
import { LOG_UNREAD, type LaneRefusal } from './refusal.ts';

/** The ways into the log, one for each partition. */
export type Lanes = {
  /** `tenantBytesMax` bounds what may wait of the job's tenant, in all lanes of this process; `null` does not. */
  readonly submit: (job: AppendJob, tenantBytesMax: number | null) => Promise<JobResult>;
  /** Why this installation's lane would refuse whatever is submitted; without one, why all lanes would. */
  readonly refusal: (of?: { readonly tenant: string; readonly installation: string }) => LaneRefusal | null;
  /** The partition that an installation's devices go to. */
  readonly partitionOf: (tenant: string, installation: string) => number;
  /** Resolves when every lane has read its partition to the end. */
  readonly start: () => Promise<void>;
  readonly isReady: () => boolean;
  /** Why some lane would take nothing, a log that was cut before all else; `null` where every lane is ready. */
  readonly notReadyBecause: () => Fault | null;
  /** Settles what is in flight. */
  readonly close: () => Promise<void>;
};

const PARTITIONS_KEY = 'partitions';

/**
 * Opens a lane for each partition of the log.
 * @throws where the registry belongs to a log with another number of partitions: keys would change places
 */
export async function openLanes(ports: LanePorts): Promise<Lanes> {
  const { partitions, appendBytesMax } = await ports.log.describe();
  await ports.registry.transaction(async (trx) => {
    await trx
      .insertInto('meta')
      .values({ key: PARTITIONS_KEY, value: String(partitions) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const { value } = await trx
      .selectFrom('meta')
      .select('value')
      .where('key', '=', PARTITIONS_KEY)
      .executeTakeFirstOrThrow();
    if (Number(value) !== partitions) {
      throw new Error(`the log has ${partitions} partitions, and the registry belongs to one with ${value}`);
    }
    await addPartitions(trx, partitions);
  });
  const lanes = Array.from(
    { length: partitions },
    (_, partition) => new Lane(ports, partition, appendBytesMax),
  );
  const partitionFor = (tenant: string, installation: string): number =>
    partitionOf(`${tenant}/${installation}`, partitions);
  const laneOf = (of: { readonly tenant: string; readonly installation: string }): Lane =>
    lanes[partitionFor(of.tenant, of.installation)]!;
  return {
    partitionOf: partitionFor,
    submit: (job, tenantBytesMax) => laneOf(job.source).submit(job, tenantBytesMax),
    refusal: (of) => {
      if (of !== undefined) return laneOf(of).refusal;
      return lanes.every(({ refusal }) => refusal !== null) ? lanes[0]!.refusal : null;
    },
    start: async () => {
      await Promise.all(lanes.map((lane) => lane.start()));
    },
    isReady: () => lanes.every((lane) => lane.isReady),
    notReadyBecause: () => {
      const waiting = lanes.filter((lane) => !lane.isReady);
      const faults = waiting.map(({ refusal }) => refusal?.fault ?? LOG_UNREAD);
      return faults.find(({ code }) => code === 'ERR_LOG_TRUNCATED') ?? faults[0] ?? null;
    },
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}
