import { existsSync } from 'node:fs';
import type { EventLog } from '@tachograph/event-log';
import { CliFailure } from '../cli-failure.ts';
import { opening } from '../closers.ts';
import { dataFiles } from '../data-files.ts';
import type { Settings } from '../settings.ts';
import { openLog } from './open-log.ts';

/** Runs `work` with the ordered log of this installation, which has to be there: looking must not make one. */
export async function withExistingLog<T>(
  { kafka, config: { dataDir } }: Pick<Settings, 'kafka' | 'config'>,
  work: (log: EventLog, name: string) => Promise<T>,
): Promise<T> {
  const { log: path } = dataFiles(dataDir);
  if (kafka === null && !existsSync(path)) {
    throw new CliFailure(`There is no ${path}.`, [
      'Run it where DATA_DIR or KAFKA_BROKERS lead to the ordered log.',
    ]);
  }
  const opened = await opening(async (closers) => ({ log: await openLog(kafka, dataDir, closers) }));
  try {
    const { adapter, name } = await opened.log.describe();
    return await work(opened.log, adapter === 'kafka' ? `The topic ${name}` : `The ordered log ${path}`);
  } finally {
    await opened.close();
  }
}
