import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { start } from '../support/running.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TOKEN = 'an-administrator-token-for-tests';

describe('the roles, each on its own', () => {
  const folder = tempFolder();
  const env = { DATA_DIR: folder.path, PORT: '0', ADMIN_TOKEN: TOKEN };

  beforeAll(async () => {
    const keys = await start(['keys', 'create'], env);
    expect(await keys.ended).toBe(0);
  });
  afterAll(folder.remove);

  it('ingest serves devices without the directive key, and no control API', async () => {
    const secret = join(folder.path, 'directive');
    renameSync(secret, `${secret}-elsewhere`);
    const ingest = await start(['ingest'], env, /Serving devices/);
    renameSync(`${secret}-elsewhere`, secret);
    expect((await fetch(`${ingest.url()}/v1/keys`)).status).toBe(200);
    expect(await statusOfTenants(ingest.url())).toBe(404);
    expect(await ingest.end('SIGTERM')).toBe(0);
  });

  it('control serves the control API and no device, beside ingest on one folder', async () => {
    const ingest = await start(['ingest'], env, /Serving devices/);
    const control = await start(['control'], env, /Serving the control API/);
    expect(await statusOfTenants(control.url())).toBe(200);
    expect((await fetch(`${control.url()}/v1/keys`)).status).toBe(404);
    expect(await control.end('SIGTERM')).toBe(0);
    expect(await ingest.end('SIGTERM')).toBe(0);
  });

  it('export runs alone, and only once on a folder', async () => {
    const exporter = await start(['export'], env, /Exporting to/);
    const second = await start(['export'], env);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain('another process exports');
    expect(await exporter.end('SIGTERM')).toBe(0);
  });

  it.each(['ingest', 'control', 'export'])('%s without keys says how to make them', async (role) => {
    const empty = tempFolder();
    const started = await start([role], { ...env, DATA_DIR: empty.path });
    expect(await started.ended).toBe(1);
    expect(started.output()).toMatch(/keys|doctor/);
    expect(started.output()).not.toContain('    at ');
    empty.remove();
  });

  it('keys rotate in two steps, each only once', async () => {
    const steps: [string[], number, number][] = [
      [['keys', 'rotate', '--finish'], 1, 0],
      [['keys', 'rotate'], 0, 2],
      [['keys', 'rotate'], 1, 0],
      [['keys', 'rotate', '--finish'], 0, 1],
    ];
    for (const [args, code, cosigners] of steps) {
      const step = await start(args, env);
      expect(await step.ended).toBe(code);
      expect(step.output().match(/localhost\/ingest\+/g) ?? []).toHaveLength(cosigners);
    }
    const show = await start(['keys', 'show', '--json'], env);
    expect(await show.ended).toBe(0);
    expect(JSON.parse(show.output())).toMatchObject({ counter: 3 });
  });
});

async function statusOfTenants(url: string): Promise<number> {
  return (await fetch(`${url}/admin/v1/tenants`, { headers: { authorization: `Bearer ${TOKEN}` } })).status;
}
