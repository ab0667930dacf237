import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'puppeteer-core';
import { admin } from '../support/admin.ts';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { readFeed } from '../support/feed.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import {
  collectDurable,
  drained,
  goOffline,
  openDemo,
  recordReported,
  statusOf,
  type Durable,
} from './demo-page.ts';

type Forks = {
  readonly forks: readonly { readonly acceptedCheckpoint: string; readonly submittedCheckpoint: string }[];
};

describe('a browser profile that is copied and used in both places', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;
  const browsers: Browser[] = [];

  beforeAll(async () => {
    dir = await tempDir();
    server = await serve({ dataDir: join(dir.path, 'data') });
  });
  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    await server?.stop();
    await dir?.remove();
  });

  async function launch(profile: string): Promise<Browser> {
    const browser = await launchChromium({ profile });
    browsers.push(browser);
    return browser;
  }

  it('tells the second one, keeps both checkpoints and delivers its entries through a successor (INV-05, INV-15)', async () => {
    const [original, copy] = [join(dir.path, 'original'), join(dir.path, 'copy')];
    const before = await launch(original);
    const page = await openDemo(before, server.url);
    const shared: Durable[] = [];
    await collectDurable(page, shared);
    await recordReported(page, 20, 'shared');
    await drained(page);
    // Both copies start offline: online, the second would learn that it is behind before it contradicts the first.
    await goOffline(page, true);
    await before.close();
    await cp(original, copy, { recursive: true });

    const firstEvents: Durable[] = [];
    const first = await openDemo(await launch(original), server.url);
    await collectDurable(first, firstEvents);
    await goOffline(first, false);
    await recordReported(first, 10, 'original');
    await drained(first);
    const { origin } = await statusOf(first);

    const secondEvents: Durable[] = [];
    const second = await openDemo(await launch(copy), server.url);
    expect((await statusOf(second)).origin).toBe(origin);
    await collectDurable(second, secondEvents);
    await recordReported(second, 10, 'copy');
    await goOffline(second, false);
    await second.waitForFunction(
      (old) => window.tachographDemo?.status().origin !== old,
      { timeout: 30_000 },
      origin,
    );
    await drained(second);
    const successor = (await statusOf(second)).origin;

    const ids = [...shared, ...firstEvents, ...secondEvents].map(({ id }) => id);
    const feed = await eventually('all events in the feed', async () => {
      const lines = await readFeed(server.dataDir);
      const present = new Set(lines.map((line) => line.data?.id));
      return ids.every((id) => present.has(id)) && lines.some(({ type }) => type === 'log.forked')
        ? lines
        : null;
    });
    const sourceOf = new Map(feed.map((line) => [line.data?.id, line.source]));
    expect(firstEvents.map(({ id }) => sourceOf.get(id))).toEqual(firstEvents.map(() => origin));
    expect(secondEvents.map(({ id }) => sourceOf.get(id))).toEqual(secondEvents.map(() => successor));
    expect(feed.filter(({ type }) => type === 'log.forked')).toHaveLength(1);

    const device = origin!.split('/')[2]!;
    const { forks } = (await admin(server, 'GET', `/tenants/demo/devices/${device}/forks`)) as Forks;
    expect(forks).toHaveLength(1);
    expect(forks[0]!.acceptedCheckpoint).toContain(origin!);
    expect(forks[0]!.submittedCheckpoint).toContain(origin!);
    expect(forks[0]!.acceptedCheckpoint).not.toBe(forks[0]!.submittedCheckpoint);
  }, 120_000);
});
