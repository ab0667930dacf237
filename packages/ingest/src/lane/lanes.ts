import { partitionOf } from '@tachograph/event-log';
import { addPartitions } from '../registry/settlement.ts';
import type { AppendJob, JobResult } from './job.ts';
import { Lane } from './lane.ts';
import type { LanePorts } from './ports.ts';

/** The ways into the log, one for each partition. */
export type Lanes = {
  readonly submit: (job: AppendJob) => Promise<JobResult>;
  /** The partition that an installation's devices go to. */
  readonly partitionOf: (tenant: string, installation: string) => number;
  /** Resolves when every lane has read its partition to the end. */
  readonly start: () => Promise<void>;
  readonly isReady: () => boolean;
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
  return {
    partitionOf: partitionFor,
    submit: (job) => lanes[partitionFor(job.source.tenant, job.source.installation)]!.submit(job),
    start: async () => {
      await Promise.all(lanes.map((lane) => lane.start()));
    },
    isReady: () => lanes.every((lane) => lane.isReady),
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}
