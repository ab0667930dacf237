import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin, createEnrolmentToken } from '../support/admin.ts';
import { enrolWith, post, TestDevice, type Answer } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { feedOf, readFeed } from '../support/feed.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const [OFFICE, HOME] = ['10.1.2.3', '203.0.113.9'];
const POLICY = {
  enrolment: { rules: [{ cidr: '10.0.0.0/8', action: 'allow' }, { action: 'deny' }] },
};

describe('a company that lets devices in from its office only, behind a proxy that is trusted', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;
  let device: TestDevice;

  beforeAll(async () => {
    dir = await tempDir();
    const env = { TRUSTED_PROXIES: '127.0.0.0/8,::1' };
    server = await serve({ dataDir: join(dir.path, 'data'), env });
    await admin(server, 'POST', '/tenants', { id: 'acme', name: 'Acme' });
    await admin(server, 'PUT', '/tenants/acme/policy', POLICY);
    device = await TestDevice.create('localhost', 'acme');
  });
  afterAll(async () => {
    await server?.stop();
    await dir?.remove();
  });

  it('refuses a device that enrols from home, says so in the feed, and keeps its token good', async () => {
    const token = await createEnrolmentToken(server, 'acme');
    const refused = await enrolWith(server, device, token, from(HOME));
    expect([refused.status, refused.body['code']]).toEqual([403, 'ERR_POLICY']);
    // What a client writes into the header itself stands left of what the proxy adds, and counts for nothing.
    const claimed = await enrolWith(server, device, token, from(`${OFFICE}, ${HOME}`));
    expect(claimed.body['code']).toBe('ERR_POLICY');
    expect((await enrolWith(server, device, token, from(OFFICE))).status).toBe(201);

    const told = await eventually('both refusals in the feed', async () => {
      const lines = (await readFeed(server.dataDir)).filter(
        ({ type }) => type === 'device.enrolment_refused',
      );
      return lines.length === 2 ? lines : null;
    });
    for (const { data } of told) {
      expect(data?.targets).toMatchObject([{ type: 'device', id: device.device }]);
      expect(data?.data).toMatchObject({
        code: 'ERR_POLICY',
        address: HOME,
        rule: { number: 2, action: 'deny' },
      });
    }
  });

  it('takes the events of an enrolled device from anywhere, and grants its lease in the office only', async () => {
    device.record(3);
    const atHome = await append(0, HOME);
    expect(atHome.status).toBe(200);
    expect(atHome.body['lease']).toBeUndefined();
    device.record(2);
    const inOffice = await append(3, OFFICE);
    expect(inOffice.status).toBe(200);
    expect(inOffice.body['lease']).toMatch(/^tachograph lease\/v1\n/);
    const lines = await feedOf(server.dataDir, device.origin, 5);
    expect(lines.map(({ sequence }) => Number(sequence))).toEqual([0, 1, 2, 3, 4]);
  });

  /** Sends what was recorded from `old` on, with a request note, which is what asks for a lease. */
  async function append(old: number, address: string): Promise<Answer> {
    const body = await device.append(old, device.leaves.length, {});
    return post(`${server.url}${device.path}`, body, { ...from(address), 'content-type': 'text/plain' });
  }
});

describe('the same company without a proxy that is trusted', () => {
  it('believes nobody who says to be in the office', async () => {
    const dir = await tempDir();
    const server = await serve({ dataDir: join(dir.path, 'data') });
    try {
      await admin(server, 'POST', '/tenants', { id: 'acme', name: 'Acme' });
      await admin(server, 'PUT', '/tenants/acme/policy', POLICY);
      const device = await TestDevice.create('localhost', 'acme');
      const token = await createEnrolmentToken(server, 'acme');
      const refused = await enrolWith(server, device, token, from(OFFICE));
      expect([refused.status, refused.body['code']]).toEqual([403, 'ERR_POLICY']);
    } finally {
      await server.stop();
      await dir.remove();
    }
  });
});

function from(address: string): { readonly [name: string]: string } {
  return { 'x-forwarded-for': address };
}
