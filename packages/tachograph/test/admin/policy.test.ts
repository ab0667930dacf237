import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempFolders } from '../support/temp-folder.ts';

const folder = tempFolders();
const ENV = { TACHOGRAPH_URL: 'https://audit.example.com', ADMIN_TOKEN: 'an-administrator-token' };
const denied = {
  rule: { number: 2, action: 'deny' },
  action: 'deny',
  enrolment: { outcome: 'refused', code: 'ERR_POLICY' },
  lease: null,
};

function server(answer: unknown) {
  const asked: Request[] = [];
  const io = fakeIo(ENV, (request) => {
    asked.push(request);
    return Response.json(answer);
  });
  return { io, asked };
}

describe('tachograph policy', () => {
  it('test sends address, claims and the file, and says which rule matches and what follows', async () => {
    const file = join(folder(), 'policy.json');
    writeFileSync(file, '{"enrolment":{"rules":[]}}');
    const { io, asked } = server(denied);
    const args = `policy test acme --address 203.0.113.7 --claims acrs=c1 acrs=c2 amr=a=b --policy ${file}`;
    expect(await runCli(args.split(' '), io)).toBe(0);
    expect(asked[0]!.url).toBe('https://audit.example.com/admin/v1/tenants/acme/policy/test');
    expect(await asked[0]!.json()).toEqual({
      address: '203.0.113.7',
      claims: { acrs: ['c1', 'c2'], amr: ['a=b'] },
      policy: { enrolment: { rules: [] } },
    });
    for (const text of [
      'Rule 2 matches',
      'refused (ERR_POLICY)',
      'nothing offline',
      'accepted',
      'no device has claims',
    ]) {
      expect(io.printed()).toContain(text);
    }
  });

  it('test says that no rule matches, and how long a lease is', async () => {
    const lease = { profile: 'default', blockAfterSeconds: 60, wipeAfterSeconds: 120 };
    const { io } = server({ rule: null, action: 'allow', enrolment: { outcome: 'enrolled' }, lease });
    expect(await runCli(['policy', 'test', 'acme', '--address', '::1'], io)).toBe(0);
    expect(io.printed()).toContain('No rule matches');
    expect(io.printed()).toContain('offline for 60 s, wiped after 120 s');
    expect(io.printed()).not.toContain('claims');
  });

  it('set puts a file, and show prints what can be put again', async () => {
    const policy = { enrolment: { approval: true } };
    const file = join(folder(), 'policy.json');
    writeFileSync(file, JSON.stringify(policy));
    const { io, asked } = server(policy);
    expect(await runCli(['policy', 'set', 'acme', file], io)).toBe(0);
    expect(asked[0]!.method).toBe('PUT');
    expect(await asked[0]!.json()).toEqual(policy);
    const shown = server(policy);
    await runCli(['policy', 'show', 'acme'], shown.io);
    expect(JSON.parse(shown.io.printed())).toEqual(policy);
  });

  it.each([
    [['policy', 'set', 'acme', '/nowhere.json'], 'holds no policy'],
    [['policy', 'test', 'acme', '--address', '::1', '--claims', '=x'], 'name=value'],
  ])('says what is wrong with %j', async (args, complaint) => {
    const { io } = server({});
    expect(await runCli(args, io)).toBe(1);
    expect(io.complained()).toContain(complaint);
  });
});
