import { describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { secretReader, secretSource } from '../src/secret.ts';

describe('a secret', () => {
  it('is read from a variable, or from the first line of a file, at each use', async () => {
    const dir = await tempDir();
    const file = join(dir.path, 'token');
    const read = secretReader({ SPLUNK_TOKEN: 'from the environment' });
    await writeFile(file, 'first\nnot this\n');
    expect(await read({ env: 'SPLUNK_TOKEN' })).toBe('from the environment');
    expect(await read({ file })).toBe('first');
    await writeFile(file, 'second\r\n');
    expect(await read({ file })).toBe('second');
    await dir.remove();
  });

  it('that is missing or empty is an error that names its place', async () => {
    const read = secretReader({ EMPTY: '' });
    await expect(read({ env: 'EMPTY' })).rejects.toThrow('the variable EMPTY');
    await expect(read({ env: 'NONE' })).rejects.toThrow('the variable NONE');
    await expect(read({ file: '/nowhere/token' })).rejects.toThrow(/the file \/nowhere\/token .* ENOENT/);
  });

  it.each([['plain'], [{}], [{ env: 'no-name' }], [{ file: '' }], [{ env: 'A', file: 'b' }]])(
    'cannot be written into a configuration: %j',
    (value) => {
      expect(secretSource.safeParse(value).success).toBe(false);
    },
  );
});
