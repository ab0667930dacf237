import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PURGE_NOTE, parseNote } from '@tachograph/wire';
import { admin } from '../support/admin.ts';
import { enrolDeviceWith, post, sendLeaves, type TestDevice } from '../support/device.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import { ROOT } from '../docs/pages.ts';

const run = promisify(execFile);
const TENANT = 'demo';
const SUBJECT = 'ana@acme.example';

let dir: Awaited<ReturnType<typeof tempDir>>;
let server: Served;
beforeAll(async () => {
  dir = await tempDir();
  server = await serve({ dataDir: join(dir.path, 'data') });
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await dir?.remove();
});

async function deviceOfAna(): Promise<TestDevice> {
  const body = { uses: 1, expiresInSeconds: 600, subject: SUBJECT };
  const answer = await admin(server, 'POST', `/tenants/${TENANT}/enrolment-tokens`, body);
  return enrolDeviceWith(server, TENANT, (answer as { token: string }).token);
}

/** The command as people run it: its exit code, and what it printed. */
async function offboard(...options: string[]): Promise<{ code: number; printed: string }> {
  const args = ['offboard', TENANT, SUBJECT, ...options];
  const env = { ...process.env, TACHOGRAPH_URL: server.url, ADMIN_TOKEN: server.adminToken };
  try {
    const { stdout } = await run(join(ROOT, 'node_modules/.bin/tachograph'), args, { cwd: dir.path, env });
    return { code: 0, printed: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, printed: `${stdout}${stderr}` };
  }
}

function exported(id: string, name: string) {
  return { action: 'item.export', targets: [{ type: 'item', id, name }] };
}

describe('tachograph offboard, against a server', () => {
  it('names who is pending, then who is purged, and writes the secrets to change, late ones included', async () => {
    const [laptop, phone] = [await deviceOfAna(), await deviceOfAna()];
    laptop.record(1, exported('i_1', '=cmd()'));
    await sendLeaves(server, laptop, 0);
    // The phone has a lease when it is lost sight of.
    const { body } = await post(`${server.url}${phone.path}`, await phone.append(0, 0, {}));
    expect(body['lease']).toBeDefined();
    const first = await offboard('--wait', '--timeout', '1s');
    expect(first).toMatchObject({
      code: 1,
      printed: expect.stringContaining('1 of 2 devices are still pending'),
    });
    for (const device of [laptop, phone]) expect(first.printed).toContain(device.device);

    phone.record(1, exported('i_2', 'late'));
    const answer = await sendLeaves(server, phone, 0);
    const [note] = answer.body['directives'] as string[];
    const parsed = parseNote(note!);
    const order = parsed.ok ? PURGE_NOTE.parse(parsed.value.text) : parsed;
    if (!order.ok) throw new Error(order.fault.detail);
    phone.record(1, { action: 'cache.purged', data: { directive: order.value.id, scopes: ['*'] } });
    await sendLeaves(server, phone, 1);

    const second = await offboard('--wait', '--timeout', '30s', '--csv', 'secrets.csv');
    expect(second).toMatchObject({ code: 0, printed: expect.stringContaining('purged') });
    expect(second.printed).toContain('Revoked now: 0 of 2 devices. Purges ordered: 0.');
    const csv = await readFile(join(dir.path, 'secrets.csv'), 'utf8');
    expect(
      csv
        .split('\r\n')
        .slice(1, 3)
        .map((row) => row.split(',')),
    ).toEqual([
      expect.arrayContaining(['i_1', "'=cmd()", 'exported', 'no']),
      expect.arrayContaining(['i_2', 'late', 'exported', 'yes']),
    ]);
  });
});
