import { KafkaLog, type EventLog } from '@tachograph/event-log';
import { findLosses, type Registry } from '@tachograph/ingest';
import { errorMessage } from '../error-code.ts';
import { bad, good, note, type Finding } from './check.ts';

/** Whether every partition can be read, oldest and newest record included. */
export async function checkLog(log: EventLog): Promise<Finding> {
  const check = 'log';
  try {
    const { partitions, adapter, name } = await log.describe();
    let records = 0;
    for (let partition = 0; partition < partitions; partition += 1) {
      const { oldest, next } = await log.offsets(partition);
      records += next - oldest;
      if (next > oldest) await readEnds(log, partition, oldest, next);
    }
    if (log instanceof KafkaLog && (await log.mayAppend()) === false) {
      return bad(
        check,
        `${name} of Kafka can be read, but this user may not write to it`,
        'Give it the right `Write` on the topic. Until then devices are told to come back (503) and keep everything.',
        'Where only an exporter runs, it is not needed.',
      );
    }
    const where = adapter === 'kafka' ? ` in ${name} of Kafka` : '';
    return good(check, `${partitions} partitions can be read, ${records} records${where}`);
  } catch (error) {
    return bad(
      check,
      `it cannot be read: ${errorMessage(error)}`,
      'Check the disk, then restore log.sqlite from a backup.',
      'Devices send again what a restored log lacks, as far as they still hold it.',
    );
  }
}

async function readEnds(log: EventLog, partition: number, oldest: number, next: number): Promise<void> {
  for (const offset of new Set([oldest, next - 1])) {
    let found = 0;
    for await (const batch of log.readRange(partition, offset, offset + 1)) found += batch.length;
    if (found !== 1) throw new Error(`partition ${partition} lacks the record at offset ${offset}`);
  }
}

const NAMED_MAX = 10;

/** Which entries were settled and are not in the log any more; `null` where there are none. */
async function checkLost(ports: Parameters<typeof findLosses>[0]): Promise<Finding | null> {
  const partitions = await ports.registry.db.selectFrom('partitions').select('partition').execute();
  const reasons: string[] = [];
  const lost: string[] = [];
  for (const { partition } of partitions) {
    const found = await findLosses(ports, partition);
    if (found === null) continue;
    reasons.push(found.reason);
    lost.push(
      ...found.losses.map(({ origin, from, to }) => `${origin}: entries ${from} to ${to - 1} are lost`),
    );
  }
  if (reasons.length === 0) return null;
  const more = lost.length - NAMED_MAX;
  return bad(
    'registry',
    `${reasons.join('; ')} (ERR_LOG_TRUNCATED)`,
    ...lost.slice(0, NAMED_MAX),
    ...(more > 0 ? [`and of ${more} more devices: \`tachograph log lost\` lists them all`] : []),
    'The log was cut, made anew or restored from an older backup: bring it back as it was.',
    'If it is lost for good, stop the servers and go on without it: `tachograph log accept-loss`.',
  );
}

/** Whether the registry can follow from the log: it may be behind, and never ahead. */
export async function checkRegistry(registry: Registry, log: EventLog, authority: string): Promise<Finding> {
  const check = 'registry';
  try {
    const lost = await checkLost({ registry, log, authority });
    if (lost !== null) return lost;
    const settled = await registry.db.selectFrom('partitions').selectAll().execute();
    let behind = 0;
    for (const { partition, settled_offset: offset } of settled) {
      const { oldest, next } = await log.offsets(partition);
      if (offset < oldest) {
        return bad(
          check,
          `partition ${partition}: the registry stands at ${offset}, the log begins at ${oldest}`,
          'Records were removed before they were settled. Restore log.sqlite from a backup.',
        );
      }
      behind += next - offset;
    }
    return behind === 0
      ? good(check, 'in step with the log')
      : note(check, `${behind} records behind the log`, 'Nothing to do: a server reads them when it starts.');
  } catch (error) {
    return bad(
      check,
      `it cannot be read: ${errorMessage(error)}`,
      'Check the disk, then restore registry.sqlite from a backup: what came since is read from the log.',
    );
  }
}

/** When the newest known event was received, in milliseconds since the epoch, or `null` where there is none. */
export async function newestReceived(registry: Registry): Promise<number | null> {
  const row = await registry.db
    .selectFrom('sightings')
    .select(({ fn }) => fn.max<number | null>('received_at').as('newest'))
    .executeTakeFirst();
  return row?.newest ?? null;
}
