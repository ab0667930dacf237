import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin, createEnrolmentToken } from '../support/admin.ts';
import { enrolDevice, post, sendLeaves, testLeaf } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { readFeed } from '../support/feed.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('what the server writes with LOG_LEVEL=trace', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;

  beforeAll(async () => {
    dir = await tempDir();
    server = await serve({ dataDir: dir.path, env: { LOG_LEVEL: 'trace' } });
  });
  afterAll(async () => {
    await server?.stop();
    await dir?.remove();
  });

  it('holds no credential, no key and nothing of an event, be it accepted or refused (INV-18)', async () => {
    const marker = 'do-not-show-7f3a';
    const token = await createEnrolmentToken(server, 'demo');
    await admin(server, 'GET', '/tenants');
    const device = await enrolDevice(server, 'demo');
    device.leaves.push(
      testLeaf({ data: { note: marker } }),
      new TextEncoder().encode(`{"note":"${marker}"}`),
    );
    expect((await sendLeaves(server, device, 0)).status).toBe(200);
    expect((await post(`${server.url}${device.path}`, `old 2\n${marker}\n`)).status).toBe(400);
    const credential = { type: 'token', token: `${token}${marker}` };
    await post(`${server.url}/v1/enrolment/demo`, JSON.stringify({ credential }), {
      'content-type': 'application/json',
    });
    await eventually('the device in the feed', async () => {
      const feed = await readFeed(server.dataDir);
      return feed.some(({ source }) => source === device.origin) ? true : null;
    });
    expect(await server.stop()).toBe(0);

    const written = server.output();
    expect(written).toContain('"event":"server.started"');
    const [key] = /[\w+/-]{40,}/.exec(readFileSync(join(server.dataDir, 'directive/directive.key'), 'utf8'))!;
    for (const secret of [marker, token, server.adminToken, key]) expect(written).not.toContain(secret);
  });

  it('is one JSON object a line, each an event in the style noun.verb_past', () => {
    const lines = server
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events.length).toBeGreaterThan(1);
    expect(events.filter((event) => !/^[a-z_]+\.[a-z_]+$/.test(event))).toEqual([]);
  });
});
