import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from '../support/once.ts';
import type { Browser } from 'puppeteer-core';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { indicesBySource, readFeed, type FeedLine } from '../support/feed.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import {
  collectDurable,
  demoReady,
  drained,
  goOffline,
  openDemo,
  recordReported,
  statusOf,
  type Durable,
} from './demo-page.ts';

describe('from a browser that is offline to the exported feed', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;
  let browser: Browser;

  beforeAll(async () => {
    dir = await tempDir();
    server = await serve({ dataDir: dir.path });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await dir?.remove();
  });

  it('exports what became durable over two tabs, one of them killed, once and in order (INV-01, INV-08, INV-13)', async () => {
    const durable: Durable[] = [];
    const first = await openDemo(browser, server.url);
    await drainedAfterStart(first);
    await goOffline(first, true);
    await collectDurable(first, durable);
    await recordReported(first, 100, 'first');

    // The second tab finds the switch as the first one left it, and dies in the middle of its work.
    const second = await openDemo(browser, server.url);
    await collectDurable(second, durable);
    const crashed = once(second, 'error');
    // Neither this call nor the one that ends the page is ever answered: the process that would answer is gone.
    void recordReported(second, 1_000, 'second').catch((error: unknown) => String(error));
    await eventually('100 events of the second tab', () => (durable.length >= 200 ? true : null));
    const devtools = await second.createCDPSession();
    void devtools.send('Page.crash').catch((error: unknown) => String(error));
    await crashed;
    const known = durable.length;
    expect(known).toBeGreaterThanOrEqual(200);
    expect((await statusOf(first)).ledger.accepted).toBeLessThan(known);

    // Reloaded while offline, then with the server really gone, then closed: nothing is forgotten.
    await first.reload();
    await demoReady(first);
    await server.stop();
    await first.reload();
    await demoReady(first);
    await first.close();
    server = await serve({ dataDir: dir.path, port: server.port });
    const third = await openDemo(browser, server.url);
    await goOffline(third, false);
    await drained(third);

    const { origin, ledger } = await statusOf(third);
    const feed = await wholeFeed(server.dataDir, origin!, ledger.durable);
    const lines = feed.filter(({ source }) => source === origin);
    expect(indicesBySource(feed).get(origin!)).toEqual(lines.map((_, i) => i));
    for (const event of durable) expect(lines[event.index]?.data?.id).toBe(event.id);
    expect(new Set(lines.map((line) => line.data?.id)).size).toBe(lines.length);
    // What was recorded by the killed tab without its being told is at most the event in hand.
    expect(ledger.durable - known).toBeLessThan(100);
  }, 120_000);

  async function drainedAfterStart(page: Awaited<ReturnType<typeof openDemo>>): Promise<void> {
    await page.waitForFunction(() => window.tachographDemo?.status().state === 'online', { timeout: 30_000 });
  }
});

async function wholeFeed(dataDir: string, origin: string, count: number): Promise<FeedLine[]> {
  return eventually(`${count} lines of ${origin}`, async () => {
    const feed = await readFeed(dataDir);
    return feed.filter(({ source }) => source === origin).length >= count ? feed : null;
  });
}
