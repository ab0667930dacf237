import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  cosign,
  EMPTY_ROOT,
  formatVkey,
  KEYS_NOTE,
  openStatement,
  originOf,
  parseAuthority,
  parseTenantId,
  parseVkey,
  verifyReceipt,
  deviceIdOf,
  type Parsed,
} from '@tachograph/wire';
import { createKeys } from '../../src/keys/create-keys.ts';
import { loadDirectiveKeys } from '../../src/keys/directive-key.ts';
import { beginRotation, endRotation } from '../../src/keys/rotation.ts';
import { loadIngestKeys } from '../../src/keys/load-keys.ts';

function value<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return parsed.value;
}

const AUTHORITY = value(parseAuthority('audit.example.com'));
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tachograph-keys-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function allFiles(): Promise<Map<string, string>> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)));
}

describe('createKeys', () => {
  it('makes keys that load, and a keys note that the directive key has signed', async () => {
    const created = value(await createKeys(dir, AUTHORITY));
    const keys = value(await loadIngestKeys(dir, AUTHORITY));
    expect(keys.keysNote).toBe(created.source);
    const statement = value(
      await openStatement(KEYS_NOTE, keys.keysNote, [value(parseVkey(keys.directiveKey))]),
    );
    expect(statement.counter).toBe(1);
    expect(statement.keys.map((key) => [key.name, key.type])).toEqual([
      ['audit.example.com/ingest', 0x04],
      ['audit.example.com/lease', 0x01],
      ['audit.example.com/log', 0x01],
    ]);
    expect(statement.keys.map(formatVkey)).toEqual(
      [...keys.cosigners, keys.lease, keys.log].map((signer) => formatVkey(signer.key)),
    );
  });

  it('changes nothing when it runs again', async () => {
    await createKeys(dir, AUTHORITY);
    const before = await allFiles();
    value(await createKeys(dir, AUTHORITY));
    expect(await allFiles()).toEqual(before);
  });

  it('gives two processes that start at once the same keys', async () => {
    const [one, other] = await Promise.all([createKeys(dir, AUTHORITY), createKeys(dir, AUTHORITY)]);
    expect(value(one).source).toBe(value(other).source);
    value(await loadIngestKeys(dir, AUTHORITY));
  });

  it('goes on where a crash stopped it before the keys note, with the same directive key', async () => {
    await createKeys(dir, AUTHORITY);
    const directive = formatVkey(value(await loadDirectiveKeys(dir, AUTHORITY))[0]!.key);
    await rm(join(dir, 'keys', 'keys-00000001.note'));
    value(await createKeys(dir, AUTHORITY));
    expect(value(await loadIngestKeys(dir, AUTHORITY)).directiveKey).toBe(directive);
  });

  it('leaves every file readable by its owner only, and no temporary file', async () => {
    await createKeys(dir, AUTHORITY);
    for (const file of (await allFiles()).keys()) {
      expect([file, (await stat(file)).mode & 0o777]).toEqual([file, 0o600]);
      expect(file).not.toContain('.tmp');
    }
  });

  it('never replaces a directive key that clients may have pinned', async () => {
    await createKeys(dir, AUTHORITY);
    await rm(join(dir, 'directive'), { recursive: true });
    expect(await createKeys(dir, AUTHORITY)).toMatchObject({ ok: false, fault: { code: 'ERR_CONFIG' } });
  });

  it('refuses the folder of another authority', async () => {
    await createKeys(dir, AUTHORITY);
    const other = value(parseAuthority('other.example.com'));
    expect(await createKeys(dir, other)).toMatchObject({ ok: false, fault: { code: 'ERR_CONFIG' } });
    expect(await loadIngestKeys(dir, other)).toMatchObject({ ok: false, fault: { code: 'ERR_CONFIG' } });
  });
});

describe('loadIngestKeys', () => {
  it('needs nothing of the directive key but its public half', async () => {
    await createKeys(dir, AUTHORITY);
    await rm(join(dir, 'directive'), { recursive: true });
    value(await loadIngestKeys(dir, AUTHORITY));
    expect(await loadDirectiveKeys(dir, AUTHORITY)).toMatchObject({
      ok: false,
      fault: { code: 'ERR_CONFIG' },
    });
  });

  it.each(['cosigner', 'note', 'challenge', 'vkey'])(
    'names the file where a %s is damaged',
    async (which) => {
      await createKeys(dir, AUTHORITY);
      const pattern = {
        cosigner: /ingest-.*\.key$/,
        note: /\.note$/,
        challenge: /challenge/,
        vkey: /\.vkey$/,
      };
      const [file, text] = [...(await allFiles())].find(([name]) =>
        pattern[which as keyof typeof pattern].test(name),
      )!;
      // One character in the middle of the base64.
      const at = text.length - 20;
      await writeFile(file, text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1) + 'x');
      const loaded = await loadIngestKeys(dir, AUTHORITY);
      expect(loaded.ok).toBe(false);
      expect(!loaded.ok && loaded.fault.detail).toContain(file);
    },
  );

  it('says what to do about keys that were never made', async () => {
    expect(await loadIngestKeys(dir, AUTHORITY)).toMatchObject({ ok: false, fault: { code: 'ERR_CONFIG' } });
  });

  it('shows no secret, however it is printed (INV-18)', async () => {
    await createKeys(dir, AUTHORITY);
    const { challengeSecret } = value(await loadIngestKeys(dir, AUTHORITY));
    const shown = `${String(challengeSecret)}${JSON.stringify({ challengeSecret })}${inspect(challengeSecret)}`;
    expect(shown).not.toContain(challengeSecret.reveal());
  });
});

describe('rotation of the cosigner', () => {
  const checkpoint = {
    origin: originOf(AUTHORITY, value(parseTenantId('acme')), deviceIdOf(new Uint8Array(32))),
    size: 0,
    root: EMPTY_ROOT,
  };

  it('lets both keys sign while it lasts, so that old and new clients verify', async () => {
    await createKeys(dir, AUTHORITY);
    const before = value(await loadIngestKeys(dir, AUTHORITY));
    expect(value(await beginRotation(dir, AUTHORITY, 'cosigner')).statement.counter).toBe(2);
    const during = value(await loadIngestKeys(dir, AUTHORITY));
    expect(during.cosigners).toHaveLength(2);
    const receipt = (await Promise.all(during.cosigners.map((signer) => cosign(checkpoint, 7, signer)))).join(
      '',
    );
    for (const signer of during.cosigners) {
      expect(await verifyReceipt(checkpoint, receipt, [signer.key])).toMatchObject({ timestamp: 7 });
    }
    expect(await verifyReceipt(checkpoint, receipt, [before.cosigners[0]!.key])).not.toBeNull();
  });

  it('ends with the new key alone, while receipts by the old one still count', async () => {
    await createKeys(dir, AUTHORITY);
    const old = value(await loadIngestKeys(dir, AUTHORITY)).cosigners[0]!;
    await beginRotation(dir, AUTHORITY, 'cosigner');
    expect(value(await endRotation(dir, AUTHORITY, 'cosigner')).statement.counter).toBe(3);
    const after = value(await loadIngestKeys(dir, AUTHORITY));
    expect(after.cosigners.map(({ key }) => formatVkey(key))).not.toContain(formatVkey(old.key));
    expect(after.cosignerKeys.map(formatVkey)).toContain(formatVkey(old.key));
  });

  it('neither begins twice nor ends before it began', async () => {
    await createKeys(dir, AUTHORITY);
    expect(await endRotation(dir, AUTHORITY, 'cosigner')).toMatchObject({ fault: { code: 'ERR_EXISTS' } });
    const both = await Promise.all([
      beginRotation(dir, AUTHORITY, 'cosigner'),
      beginRotation(dir, AUTHORITY, 'cosigner'),
    ]);
    expect(both.filter((result) => result.ok)).toHaveLength(1);
    expect(await beginRotation(dir, AUTHORITY, 'cosigner')).toMatchObject({ fault: { code: 'ERR_EXISTS' } });
  });
});
