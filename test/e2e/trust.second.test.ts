import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'puppeteer-core';
import { admin } from '../support/admin.ts';
import { launchChromium } from '../support/chromium.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import { goOffline, statusOf } from './demo-page.ts';
import {
  cachedItems,
  feedWith,
  holdPurge,
  openPage,
  openVault,
  PURGE_STEPS,
  purgeIs,
  read,
  readAllTheTime,
  revoke,
  shiftClock,
  VAULT,
} from './trust-page.ts';

const HOUR = 3_600_000;
/** The shortest lease that a policy can name, and as long again until the cache goes. */
const SHORT = { blockAfterHours: 10 / 3600, wipeAfterHours: 20 / 3600 };

let dir: Awaited<ReturnType<typeof tempDir>>;
let server: Served;
let browser: Browser | null = null;

beforeAll(async () => {
  dir = await tempDir();
  server = await serve({ dataDir: join(dir.path, 'data') });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await dir?.remove();
});

/** Ends the browser that is open, if one is, and opens the next over the same profile. */
async function restart(profile: string): Promise<Browser> {
  await browser?.close();
  browser = await launchChromium({ profile: join(dir.path, profile) });
  return browser;
}

describe('a lease that ends in real time, in real Chromium', () => {
  it('counts down, locks, and destroys the cache, though the browser is restarted with its clock set back (INV-22)', async () => {
    await admin(server, 'PUT', '/tenants/demo/policy', { leases: { default: SHORT } });
    const page = await openVault(await restart('short'), server.url);
    await goOffline(page, true);
    expect(await read(page)).toBe(VAULT.secret);
    await page.waitForFunction(() =>
      /^0:0[1-9]$/.test(document.querySelector('[data-testid="lease-left"]')?.textContent ?? ''),
    );
    await page.waitForSelector('[data-testid="locked-i_11"]', { timeout: 15_000 });
    expect(await read(page)).toBe('expired');

    // An hour back: no time of this clock reaches the end of the lease, and the page's own one begins anew.
    const set = (next: Page): Promise<void> => shiftClock(next, -HOUR);
    const back = await openPage(await restart('short'), server.url, set);
    expect(await read(back)).toBe('clock-stepped');
    expect(await cachedItems(back)).toBe(VAULT.items);
    await purgeIs(back, 'purged', 20_000);
    expect(await cachedItems(back)).toBe(0);
    expect(await read(back)).toBe('absent');
    const { origin } = await statusOf(back);

    const online = await openPage(await restart('short'), server.url);
    await goOffline(online, false);
    const feed = await feedWith(server, 'cache.purged', origin!);
    const purged = feed.find(({ type, source }) => type === 'cache.purged' && source === origin);
    expect(purged?.data?.data).toMatchObject({ reason: 'wipe-after', counts: { items: VAULT.items } });
  }, 120_000);

  it('stays renewed while the device is online, though it is shorter than the check-in of the server', async () => {
    await admin(server, 'PUT', '/tenants/demo/policy', { leases: { default: SHORT } });
    const page = await openVault(await restart('renewed'), server.url, readAllTheTime);
    const from = Date.now();
    await page.waitForFunction((start) => Date.now() - start > 15_000, { polling: 500 }, from);
    const refusals = await page.evaluate(() => {
      const reads = window.reads!;
      // The items come a moment after the first lease: from then on access and item are allowed, one after the other.
      const filled = reads.findIndex((one, i) => one === 'allowed' && reads[i + 1] === 'allowed');
      return filled < 0 ? ['never filled'] : reads.slice(filled).filter((one) => one !== 'allowed');
    });
    expect(refusals).toEqual([]);
  }, 60_000);
});

describe.each(PURGE_STEPS.filter((step) => step !== 'reported'))('a browser that is killed at %s', (step) => {
  it('allows no read when it is started again, and finishes the purge (INV-21)', async () => {
    await admin(server, 'PUT', '/tenants/demo/policy', {});
    const first = await restart(step);
    const page = await openVault(first, server.url, (own) => holdPurge(own, step));
    const { origin } = await statusOf(page);
    await revoke(server, page);
    await page.evaluate(() => {
      window.tachographDemo!.buffer.record('item.reveal', { actor: { id: 'u_7' }, data: { vault: 'v_1' } });
    });
    await page.waitForFunction(() => window.heldAt !== undefined, { polling: 50, timeout: 30_000 });
    await killed(first);

    const next = await openPage(await restart(step), server.url, readAllTheTime);
    const feed = await feedWith(server, 'purge.confirmed', origin!);
    expect(feed.filter(({ type, source }) => type === 'cache.purged' && source === origin)).toHaveLength(1);
    const reads = await next.evaluate(() => window.reads!);
    expect(reads).not.toContain('allowed');
    expect(reads.length).toBeGreaterThan(0);
    expect(await cachedItems(next)).toBe(0);
  }, 90_000);
});

/** As a power cut ends it: nothing of it is asked. */
async function killed(own: Browser): Promise<void> {
  const child = own.process()!;
  const exited = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  child.kill('SIGKILL');
  await exited;
  browser = null;
}
