import { describe, expect, it } from '@jest/globals';
import { CliFailure } from '../src/cli-failure.ts';
import { lockFolder, lockHolder } from '../src/folder-lock.ts';
import { tempFolders } from './support/temp-folder.ts';

const folder = tempFolders();

describe('the lock of a data folder', () => {
  it('lets one process do a role, and names it to the second', () => {
    const dataDir = folder();
    const lock = lockFolder(dataDir, ['ingest', 'control']);
    expect(() => lockFolder(dataDir, ['control'])).toThrow(CliFailure);
    expect(() => lockFolder(dataDir, ['control'])).toThrow(`(${process.pid})`);
    expect(lockHolder(dataDir, 'control')).toBe(process.pid);
    lock.release();
  });

  it('leaves other roles and other folders alone', () => {
    const dataDir = folder();
    const locks = [
      lockFolder(dataDir, ['ingest']),
      lockFolder(dataDir, ['control']),
      lockFolder(folder(), ['ingest']),
    ];
    for (const lock of locks) lock.release();
  });

  it('is free again after its release', () => {
    const dataDir = folder();
    lockFolder(dataDir, ['ingest']).release();
    expect(lockHolder(dataDir, 'ingest')).toBeNull();
    lockFolder(dataDir, ['ingest']).release();
  });

  it('gives back what it took when a later role is taken', () => {
    const dataDir = folder();
    const other = lockFolder(dataDir, ['control']);
    expect(() => lockFolder(dataDir, ['ingest', 'control'])).toThrow(CliFailure);
    expect(lockHolder(dataDir, 'ingest')).toBeNull();
    other.release();
  });
});
