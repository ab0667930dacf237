import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatTargetsCsv } from '../../src/admin/targets-csv.ts';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempFolders } from '../support/temp-folder.ts';

const folder = tempFolders();
const ENV = { TACHOGRAPH_URL: 'https://audit.example.com', ADMIN_TOKEN: 'an-administrator-token' };

const target = {
  tenant: 'acme',
  type: 'item',
  id: 'i_1',
  name: 'prod-db',
  kinds: ['revealed', 'held'],
  firstAt: '2026-11-22T09:00:00.000Z',
  lastAt: '2026-11-22T11:20:00.000Z',
  devices: 2,
  late: true,
  revocation: ['before', 'straddles'],
};
const device = {
  tenant: 'acme',
  device: 'd1',
  label: 'laptop',
  end: 'pending',
  purgedAt: null,
  leaseBlocksAt: '2026-11-25T09:00:00.000Z',
  lastSeen: null,
};
const revoked = { devices: 1, revoked: 1, purgesOrdered: 1, tokensEnded: 0 };

/** A control API whose device is purged from the given report on; it remembers what it was asked. */
function server(purgedFrom: number) {
  const asked: { url: URL; method: string; body: string }[] = [];
  let reports = 0;
  const io = fakeIo(ENV, (request) => {
    const url = new URL(request.url);
    asked.push({ url, method: request.method, body: '' });
    if (request.method === 'POST') return Response.json(revoked);
    const done = ++reports >= purgedFrom;
    const page = url.searchParams.get('cursor');
    const isFirst = page === null;
    return Response.json({
      done,
      devices: [{ ...device, end: done ? 'purged' : 'pending' }],
      targets: url.searchParams.get('limit') === '0' ? [] : [isFirst ? target : { ...target, id: 'i_2' }],
      devicesTotal: 1,
      targetsComplete: true,
      cursor: isFirst && url.searchParams.get('limit') !== '0' ? 'more' : null,
    });
  });
  return { io, asked };
}

describe('tachograph offboard', () => {
  it('revokes, reports every device and every page of targets, and ends well without --wait', async () => {
    const { io, asked } = server(99);
    expect(await runCli(['offboard', 'acme', 'ana@acme.example'], io)).toBe(0);
    expect(asked[0]).toMatchObject({ method: 'POST' });
    expect(asked[0]!.url.pathname).toBe('/admin/v1/tenants/acme/subjects/ana%40acme.example/revoke');
    for (const text of ['d1', 'pending', 'i_1', 'i_2', 'straddles']) expect(io.printed()).toContain(text);
  });

  it('waits until no device is pending', async () => {
    const { io, asked } = server(3);
    expect(await runCli(['offboard', 'acme', 'ana', '--wait', '--children'], io)).toBe(0);
    expect(io.printed()).toContain('purged');
    expect(asked.every(({ url }) => url.searchParams.get('children') === 'true')).toBe(true);
  });

  it('ends with code 1 where the time is up and devices are pending, and says which', async () => {
    const { io } = server(99);
    expect(await runCli(['offboard', 'acme', 'ana', '--wait', '--timeout', '15s'], io)).toBe(1);
    expect(io.complained()).toContain('1 of 1 devices are still pending');
    expect(io.printed()).toContain('d1');
  });

  it('writes all targets to a file for its owner, in place of an older one', async () => {
    const file = join(folder(), 'secrets.csv');
    writeFileSync(file, 'old');
    const { io } = server(1);
    expect(await runCli(['offboard', 'acme', 'ana', '--csv', file], io)).toBe(0);
    const [header, ...rows] = readFileSync(file, 'utf8').split('\r\n');
    expect(header).toBe('tenant,type,id,name,how,first,last,devices,late,revocation');
    expect(rows.slice(0, 2).map((row) => row.split(',')[2])).toEqual(['i_1', 'i_2']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('says that it could not write', async () => {
    const { io } = server(1);
    expect(await runCli(['offboard', 'acme', 'ana', '--csv', join(folder(), 'no', 'file.csv')], io)).toBe(1);
    expect(io.complained()).toContain('could not be written');
  });
});

describe('targets as CSV', () => {
  it.each(['=1+1', '+1', '-1', '@x', '\tx', '\rx', '＝1', '＋1', '－1', '＠x'])(
    'compute nothing: %j',
    (name) => {
      expect(formatTargetsCsv([{ ...target, name }], true)).toContain(`'${name}`);
    },
  );

  it('quote what would break a line or a column', () => {
    expect(formatTargetsCsv([{ ...target, name: 'a "b", c\nd' }], true)).toContain('"a ""b"", c\nd"');
  });

  it('say in the file where they are not all', () => {
    const whole = formatTargetsCsv([target], true);
    const part = formatTargetsCsv([target], false);
    expect(part.slice(0, whole.length)).toBe(whole);
    expect(part.slice(whole.length)).toBe(',INCOMPLETE,this list is not complete,,,,,,,\r\n');
  });
});
