import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  databasePlace,
  lookAtPostgresRegistry,
  lookAtSqliteRegistry,
  openPostgresRegistry,
  openSqliteRegistry,
  type IngestConfig,
  type Registry,
} from '@tachograph/ingest';
import { CliFailure } from '../cli-failure.ts';
import type { Closers } from '../closers.ts';
import { dataFiles } from '../data-files.ts';
import { errorMessage } from '../error-code.ts';

const DOCTOR = '`tachograph doctor` says what is wrong and what mends it.';

/** Makes the data folder where it is missing, for its owner only, and answers its full path. */
export function makeDataFolder(dataDir: string): string {
  const folder = resolve(dataDir);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CliFailure(
      `The data folder ${folder} cannot be made: ${errorMessage(error)}`,
      ['Name another one with DATA_DIR.', DOCTOR],
      { cause: error },
    );
  }
  return folder;
}

/** Opens the registry: PostgreSQL where it is named, else the file in the data folder. */
export async function openRegistry(
  { dataDir, databaseUrl }: Pick<IngestConfig, 'dataDir' | 'databaseUrl'>,
  closers: Closers,
): Promise<Registry> {
  const { registry: file } = dataFiles(dataDir);
  const registry =
    databaseUrl === null
      ? await openFile(file, () => openSqliteRegistry(file))
      : await openPostgres(databaseUrl, openPostgresRegistry);
  closers.add(() => registry.close());
  return registry;
}

/**
 * Opens the registry to look at it, and changes nothing: nodes of another release go on with it.
 * @throws CliFailure where there is none, or it is of another release
 */
export async function lookAtRegistry(
  { dataDir, databaseUrl }: Pick<IngestConfig, 'dataDir' | 'databaseUrl'>,
  closers: Closers,
): Promise<Registry> {
  const { registry: file } = dataFiles(dataDir);
  const found =
    databaseUrl !== null
      ? await openPostgres(databaseUrl, lookAtPostgresRegistry)
      : existsSync(file)
        ? await openFile(file, () => lookAtSqliteRegistry(file))
        : 'none';
  if (typeof found !== 'string') {
    closers.add(() => found.close());
    return found;
  }
  const what =
    found === 'none'
      ? 'There is no registry yet.'
      : `The registry is of ${found === 'older' ? 'an' : 'a'} ${found} release.`;
  throw new CliFailure(what, [
    'Nothing was changed. Start the server of this release once, or run the release that made it.',
    DOCTOR,
  ]);
}

/** @throws CliFailure, which never has the password */
async function openPostgres<T>(
  url: NonNullable<IngestConfig['databaseUrl']>,
  open: (url: NonNullable<IngestConfig['databaseUrl']>) => Promise<T>,
): Promise<T> {
  try {
    return await open(url);
  } catch (error) {
    throw new CliFailure(
      `PostgreSQL at ${databasePlace(url.reveal())} cannot be used: ${errorMessage(error)}`,
      ['Check that it runs and that DATABASE_URL names it, its user and its password.', DOCTOR],
      { cause: error },
    );
  }
}

/** Opens a file of the data folder; a failure says what looks into it. */
export async function openFile<T>(file: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw new CliFailure(`${file} cannot be opened: ${errorMessage(error)}`, [DOCTOR], { cause: error });
  }
}
