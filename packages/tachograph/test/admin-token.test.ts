import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { adminToken } from '../src/admin-token.ts';
import { tempFolders } from './support/temp-folder.ts';

const folder = tempFolders();

describe('the administrator token', () => {
  it('is made once, of 256 bits, in a file that only its owner reads', () => {
    const dataDir = folder();
    const first = adminToken(dataDir, undefined);
    expect(first).toMatchObject({ created: true, file: join(dataDir, 'admin-token') });
    expect(first.token).toMatch(/^[\w-]{43}$/);
    expect(statSync(join(dataDir, 'admin-token')).mode & 0o777).toBe(0o600);
    expect(adminToken(dataDir, undefined)).toEqual({ ...first, created: false });
  });

  it('is another one in another folder', () => {
    expect(adminToken(folder(), undefined).token).not.toBe(adminToken(folder(), undefined).token);
  });

  it('is the configured one, and then nothing is stored', () => {
    const dataDir = folder();
    expect(adminToken(dataDir, 'configured')).toEqual({ token: 'configured', file: null, created: false });
    expect(adminToken(dataDir, undefined).created).toBe(true);
  });
});
