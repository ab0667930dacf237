import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempFolders } from '../support/temp-folder.ts';

const folder = tempFolders();
const ENV = { TACHOGRAPH_URL: 'https://audit.example.com', ADMIN_TOKEN: 'an-administrator-token' };

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

describe('admin commands', () => {
  it('sign in with the token and send what the options say', async () => {
    const seen: Request[] = [];
    const io = fakeIo(ENV, (request) => {
      seen.push(request);
      return json({ id: 't1', token: 'enrol-me' }, 201);
    });
    const args = 'admin token create acme --uses 3 --ttl 7d --network 10.0.0.0/8 fd00::/8 --subject ana';
    expect(await runCli(args.split(' '), io)).toBe(0);
    expect(io.printed()).toBe('enrol-me\n');
    const [request] = seen;
    expect(request?.url).toBe('https://audit.example.com/admin/v1/tenants/acme/enrolment-tokens');
    expect(request?.headers.get('authorization')).toBe('Bearer an-administrator-token');
    expect(await request?.json()).toEqual({
      uses: 3,
      expiresInSeconds: 604_800,
      networks: ['10.0.0.0/8', 'fd00::/8'],
      subject: 'ana',
    });
  });

  it('print a table for people and the whole answer with --json', async () => {
    const answer = {
      devices: [{ device: 'd1', status: 'enrolled', size: 7, subject: null }],
      cursor: 'next',
    };
    const io = fakeIo(ENV, () => json(answer));
    expect(await runCli(['admin', 'devices', 'list', 'acme', '--status', 'enrolled'], io)).toBe(0);
    expect(io.printed()).toContain('DEVICE');
    expect(io.printed()).toContain('--cursor next');
    const asJson = fakeIo(ENV, () => json(answer));
    await runCli(['admin', 'devices', 'list', 'acme', '--json'], asJson);
    expect(JSON.parse(asJson.printed())).toEqual(answer);
  });

  it('escape what becomes part of a path', async () => {
    const io = fakeIo(ENV, (request) => {
      expect(new URL(request.url).pathname).toBe('/admin/v1/tenants/..%2F..%2Fx/devices/a%3Fb/approve');
      return json({});
    });
    expect(await runCli(['admin', 'devices', 'approve', '../../x', 'a?b'], io)).toBe(0);
  });

  it.each([
    ['a refusal', json({ code: 'ERR_EXISTS', title: 'Already there', status: 409 }, 409), 'ERR_EXISTS'],
    ['a missing sign-in', json({ code: 'ERR_UNAUTHENTICATED', title: 'Not signed in' }, 401), 'ADMIN_TOKEN'],
    ['HTML', new Response('<html>', { status: 200 }), 'did not answer with JSON'],
    ['an error that is none of ours', json({ oops: true }, 500), 'answered 500'],
    ['JSON of another shape', json({ tenants: 'many' }), 'answered something else'],
  ])('end with code 1 and a reason on %s', async (_, response, reason) => {
    const io = fakeIo(ENV, () => response);
    expect(await runCli(['admin', 'tenants', 'list'], io)).toBe(1);
    expect(io.complained()).toContain(reason);
    expect(io.printed()).toBe('');
  });

  it('say how to start a server where none answers', async () => {
    const io = fakeIo({ ADMIN_TOKEN: 'x' });
    expect(await runCli(['admin', 'tenants', 'list'], io)).toBe(1);
    expect(io.complained()).toContain('tachograph serve');
  });

  it('use the token that a server on this machine keeps, and give it to no other host', async () => {
    const dataDir = folder();
    writeFileSync(join(dataDir, 'admin-token'), 'kept-token\n');
    const here = fakeIo({ DATA_DIR: dataDir }, (request) => {
      expect(request.headers.get('authorization')).toBe('Bearer kept-token');
      return json({ tenants: [] });
    });
    expect(await runCli(['admin', 'tenants', 'list'], here)).toBe(0);
    const elsewhere = fakeIo({ DATA_DIR: dataDir }, () => json({ tenants: [] }));
    expect(await runCli(['admin', 'tenants', 'list', '--url', 'https://other.example'], elsewhere)).toBe(1);
    expect(elsewhere.complained()).toContain('no administrator token for https://other.example');
  });
});
