import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { start, type Running } from '../support/running.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('tachograph serve', () => {
  const folder = tempFolder();
  const dataDir = join(folder.path, 'data');
  let server: Running;

  beforeAll(async () => {
    server = await start(['serve'], { DATA_DIR: dataDir, PORT: '0' }, /Stop with Ctrl-C/);
  });
  afterAll(async () => {
    await server?.end('SIGKILL');
    folder.remove();
  });

  it('prints where everything is, and the token that it has made', () => {
    expect(server.output()).toContain(`${server.url()}/demo/`);
    expect(server.output()).toContain(join(dataDir, 'export'));
    expect(server.output()).toMatch(/administrator token, shown this once:\n +[\w-]{43}\n/);
    expect(statSync(join(dataDir, 'admin-token')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['/livez', 200, 'application/json'],
    ['/readyz', 200, 'application/json'],
    ['/metrics', 200, 'text/plain'],
    ['/openapi.json', 200, 'application/json'],
    ['/v1/keys', 200, 'application/json'],
    ['/demo/', 200, 'text/html'],
    ['/demo/api/config', 200, 'application/json'],
    ['/demo/api/export', 200, 'application/json'],
    ['/admin/v1/tenants', 401, 'application/problem+json'],
    ['/nothing', 404, 'application/problem+json'],
  ])('answers %s with %d', async (path, status, type) => {
    const answer = await fetch(`${server.url()}${path}`);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain(type);
  });

  it.each(['/', '/demo'])('leads from %s to the demo', async (path) => {
    const answer = await fetch(`${server.url()}${path}`, { redirect: 'manual' });
    expect(answer.headers.get('location')).toBe('/demo/');
  });

  it('tells the demo page whom to write to, and makes a token only where one is asked for', async () => {
    const config = await fetchJson(`${server.url()}/demo/api/config`);
    expect(config).toEqual({
      authority: 'localhost',
      tenant: 'demo',
      directiveKey: expect.stringMatching(/^localhost\/directive\+/),
    });
    const address = `${server.url()}/demo/api/enrolment-token`;
    expect((await fetch(address)).status).toBe(404);
    const [first, second] = await Promise.all([1, 2].map(() => fetchJson(address, 'POST')));
    expect(first?.['token']).toMatch(/^tacho_enrol_/);
    expect(first?.['token']).not.toBe(second?.['token']);
  });

  it('gives the items of its vault, and the right to revoke, for devices of the demo only', async () => {
    for (const path of ['vault', 'revoke']) {
      const ask = (device: unknown) =>
        fetch(`${server.url()}/demo/api/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ device }),
        });
      expect((await ask('../../other/devices/x')).status).toBe(400);
      expect((await ask('A'.repeat(43))).status).toBe(path === 'vault' ? 403 : 404);
    }
  });

  it('acts for no foreign page that knows its address', async () => {
    for (const path of ['vault', 'revoke', 'enrolment-token']) {
      const post = (origin: string) =>
        fetch(`${server.url()}/demo/api/${path}`, { method: 'POST', headers: { origin } });
      for (const origin of ['https://evil.example', 'null', `${server.url()}0`])
        expect((await post(origin)).status).toBe(403);
      expect((await post(server.url())).status).toBe(path === 'enrolment-token' ? 200 : 400);
    }
  });

  it('gives the tenant of the demo leases that a reader can watch end', async () => {
    const authorization = `Bearer ${readFileSync(join(dataDir, 'admin-token'), 'utf8').trim()}`;
    const answer = await fetch(`${server.url()}/admin/v1/tenants/demo/policy`, {
      headers: { authorization },
    });
    const { leases } = (await answer.json()) as { leases: Record<string, { blockAfterHours: number }> };
    expect(leases['default']?.blockAfterHours).toBeCloseTo(2 / 60);
  });

  it('shows the feed to no foreign page, whatever name that gives to this machine', async () => {
    const answer = await fetch(`${server.url()}/demo/api/config`);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(await statusWithHost(server.port(), 'evil.example')).toBe(421);
    expect(await statusWithHost(server.port(), `localhost:${server.port()}`)).toBe(200);
  });

  it('counts what the exporter does among its figures', async () => {
    const text = await (await fetch(`${server.url()}/metrics`)).text();
    expect(text).toContain('tachograph_export_running{route="events"} 1');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('refuses a second server on its folder, and leaves the first one alone', async () => {
    const second = await start(['serve'], { DATA_DIR: dataDir, PORT: '0' });
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`(${server.pid})`);
    expect((await fetch(`${server.url()}/readyz`)).status).toBe(200);
  });

  it('refuses a port in use, and names the setting', async () => {
    const other = tempFolder();
    const env = { DATA_DIR: other.path, PORT: String(server.port()) };
    const second = await start(['serve'], env);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain('PORT');
    expect(second.output()).not.toContain('    at ');
    other.remove();
  });

  it('answers the admin commands of this machine', async () => {
    const env = { DATA_DIR: dataDir, PORT: String(server.port()) };
    const list = await start(['admin', 'tenants', 'list'], env);
    expect(await list.ended).toBe(0);
    expect(list.output()).toContain('demo');
    const doctor = await start(['doctor'], env);
    expect(await doctor.ended).toBe(0);
    expect(doctor.output()).toContain('running here');
  });

  it('ends in order on SIGTERM, and keeps its token and its keys for the next start', async () => {
    const before = await fetchJson(`${server.url()}/v1/keys`);
    expect(await server.end('SIGTERM')).toBe(0);
    server = await start(['serve'], { DATA_DIR: dataDir, PORT: '0' }, /Stop with Ctrl-C/);
    expect(server.output()).not.toContain('shown this once');
    expect(await fetchJson(`${server.url()}/v1/keys`)).toEqual(before);
  });

  it('starts again after SIGKILL: the folder is not left locked', async () => {
    await server.end('SIGKILL');
    server = await start(['serve'], { DATA_DIR: dataDir, PORT: '0' }, /Stop with Ctrl-C/);
    expect((await fetch(`${server.url()}/readyz`)).status).toBe(200);
  });
});

describe('tachograph serve, configured', () => {
  it('names every wrong setting at once and starts nothing', async () => {
    const server = await start(['serve'], { PORT: 'x', DEMO: 'x', AUTHORITY: '?' });
    expect(await server.ended).toBe(1);
    for (const name of ['PORT', 'DEMO', 'AUTHORITY']) expect(server.output()).toContain(`${name}: expected`);
  });

  it('has no demo with DEMO=off', async () => {
    const folder = tempFolder();
    const env = { DATA_DIR: folder.path, PORT: '0', DEMO: 'off' };
    const server = await start(['serve'], env, /Stop with Ctrl-C/);
    expect((await fetch(`${server.url()}/demo/`)).status).toBe(404);
    expect(await server.end('SIGINT')).toBe(0);
    folder.remove();
  });

  it('writes the feed in the format that EXPORT_FORMAT names', async () => {
    const folder = tempFolder();
    const env = { DATA_DIR: folder.path, PORT: '0', EXPORT_FORMAT: 'ecs' };
    const server = await start(['serve'], env, /Stop with Ctrl-C/);
    const feed = join(folder.path, 'export', 'events.ndjson');
    try {
      const line = await eventually('a line of the feed', () => (existsSync(feed) ? firstLine(feed) : null));
      expect(JSON.parse(line)).toMatchObject({ ecs: { version: '9.4.0' }, organization: { id: 'demo' } });
    } finally {
      await server.end('SIGTERM');
      folder.remove();
    }
  });
});

function firstLine(file: string): string | null {
  const text = readFileSync(file, 'utf8');
  return text.includes('\n') ? text.slice(0, text.indexOf('\n')) : null;
}

async function fetchJson(url: string, method = 'GET'): Promise<Record<string, unknown>> {
  return (await (await fetch(url, { method })).json()) as Record<string, unknown>;
}

/** `fetch` sends its own host header, so this one speaks HTTP itself. */
async function statusWithHost(port: number, host: string): Promise<number> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/demo/api/export', headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}
