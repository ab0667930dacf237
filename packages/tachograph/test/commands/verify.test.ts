import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { start, type Running } from '../support/running.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { eventually } from '../../../../test/support/eventually.ts';

const folder = tempFolder();
const env = { PORT: '0', DATA_DIR: folder.path, LOG_LEVEL: 'silent', DEMO: 'on' };
const feed = join(folder.path, 'export/events.ndjson');

describe('tachograph verify, beside a running server', () => {
  let server: Running;
  beforeAll(async () => {
    server = await start(['serve'], env, /Stop with Ctrl-C/);
    await eventually('the feed has the facts of the demo tenant', () => (lines().length >= 2 ? true : null));
  }, 60_000);
  afterAll(async () => {
    await server?.end('SIGTERM');
    folder.remove();
  });

  const lines = (): string[] => {
    try {
      return readFileSync(feed, 'utf8').split('\n').slice(0, -1);
    } catch {
      // The exporter has not written it yet.
      return [];
    }
  };
  const planted = (text: readonly string[]): string => {
    const path = join(folder.path, 'planted.ndjson');
    writeFileSync(path, text.map((line) => `${line}\n`).join(''));
    return path;
  };
  async function verify(...args: string[]) {
    const io = fakeIo(env);
    const code = await runCli(['verify', ...args], io);
    return { code, printed: io.printed(), complained: io.complained() };
  }

  it('calls the ordered log and the untouched feed complete', async () => {
    for (const args of [[], [feed]]) {
      const { code, printed, complained } = await verify(...args);
      expect({ code, complained }).toEqual({ code: 0, complained: '' });
      expect(printed).toMatch(/✓ Complete: 1 log, \d+ entries, each proven by a signature of its device\./);
    }
  });

  it('ends with the code of what it found, and names the entry', async () => {
    const [first, second, ...rest] = lines();
    const edited = await verify(
      planted([first!.replace('"outcome":"success"', '"outcome":"failure"'), second!]),
    );
    expect(edited).toMatchObject({
      code: 11,
      complained: expect.stringMatching(/^✗ Not complete: 1 of 1 log/),
    });
    expect(edited.printed).toMatch(/✗ demo\/\S+ 0: is not what the device signed\n/);
    const doubled = await verify(planted([first!, first!, second!, ...rest]));
    expect(doubled.code).toBe(14);
    const missing = await verify(planted([second!, ...rest]), '--json');
    expect(missing.code).toBe(13);
    expect(JSON.parse(missing.printed)).toMatchObject({
      logs: [{ tenant: 'demo', findings: [{ kind: 'missing', from: 0, to: 1 }] }],
    });
  });

  it('needs only public keys: those that `keys show` prints will do, and none of another installation', async () => {
    const io = fakeIo(env);
    await runCli(['keys', 'show'], io);
    const elsewhere = tempFolder();
    const keys = join(elsewhere.path, 'keys.txt');
    writeFileSync(keys, io.printed());
    const other = fakeIo({ DATA_DIR: join(elsewhere.path, 'none') });
    expect(await runCli(['verify', feed, '--keys', keys], other)).toBe(0);
    writeFileSync(keys, 'no key at all');
    const without = fakeIo({ DATA_DIR: join(elsewhere.path, 'none') });
    expect(await runCli(['verify', feed, '--keys', keys], without)).toBe(1);
    expect(without.complained()).toContain('names no public key');
    mkdirSync(join(elsewhere.path, 'strange'));
    const strange = fakeIo({ DATA_DIR: join(elsewhere.path, 'strange') });
    await runCli(['keys', 'create'], strange);
    const stranger = fakeIo({ DATA_DIR: join(elsewhere.path, 'strange') });
    expect(await runCli(['verify', feed], stranger)).toBe(16);
    expect(stranger.printed()).toContain('the key of the device is not in this feed');
    elsewhere.remove();
  });

  it('sees an end that was cut off by what ingest has cosigned', async () => {
    const [first] = lines();
    const { source } = JSON.parse(first!) as { source: string };
    const [, tenant, device] = source.split('/');
    const answer = await fetch(`${server.url()}/v1/logs/${tenant}/${device}/checkpoint`, {
      headers: { authorization: `Bearer ${readFileSync(join(folder.path, 'admin-token'), 'utf8').trim()}` },
    });
    const checkpoints = join(folder.path, 'checkpoints.txt');
    const note = await answer.text();
    writeFileSync(checkpoints, note + note);
    expect((await verify(feed, '--checkpoints', checkpoints)).code).toBe(0);
    const cut = planted(lines().slice(0, -1));
    expect((await verify(cut)).code).toBe(0);
    const seen = await verify(cut, '--checkpoints', checkpoints);
    expect(seen.code).toBe(13);
    expect(seen.printed).toContain('entries when ingest gave its receipt');
    writeFileSync(checkpoints, `${note}none\n`);
    expect((await verify(feed, '--checkpoints', checkpoints)).complained).toContain('Checkpoint 2 of');
  });

  it('proves one event, and writes a folder by which others check it', async () => {
    const [, second] = lines();
    const { id, data, source } = JSON.parse(second!) as { id: string; data: unknown; source: string };
    const io = fakeIo(env);
    expect(await runCli(['prove', id], io)).toBe(0);
    expect(io.printed()).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 1\n/);
    expect(io.printed()).toContain(source);
    const out = join(folder.path, 'evidence');
    expect(await runCli(['evidence', id, '--out', out], fakeIo(env))).toBe(0);
    expect(readdirSync(out).toSorted()).toEqual([
      'README.txt',
      'device-keys.txt',
      'event-001.json',
      'event-001.tlog-proof',
      'installation-keys.txt',
      'manifest.json',
    ]);
    expect(JSON.parse(readFileSync(join(out, 'event-001.json'), 'utf8'))).toEqual(data);
    const { files } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as {
      files: { name: string; sha256: string }[];
    };
    for (const { name, sha256 } of files) {
      expect(
        createHash('sha256')
          .update(readFileSync(join(out, name)))
          .digest('hex'),
      ).toBe(sha256);
    }
    const again = fakeIo(env);
    expect(await runCli(['evidence', id, '--out', out], again)).toBe(1);
    const none = fakeIo(env);
    expect(await runCli(['prove', 'x/0/0123456789ab'], none)).toBe(1);
    expect(none.complained()).toContain('The ordered log has no event x/0/0123456789ab');
  });

  it('says what is not there', async () => {
    expect((await verify('nowhere.ndjson')).complained).toContain('There is no nowhere.ndjson');
    const io = fakeIo({ DATA_DIR: join(folder.path, 'empty') });
    expect(await runCli(['verify'], io)).toBe(1);
  });
});
