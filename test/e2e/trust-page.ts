import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { admin } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { readFeed, type FeedLine } from '../support/feed.ts';
import { once } from '../support/once.ts';
import type { Served } from '../support/serve.ts';
import { demoReady, statusOf, vaultReady } from './demo-page.ts';

/** What the demo's vault holds. */
export const VAULT = {
  items: 9,
  scopes: 3,
  name: 'Orders database',
  secret: 'demo-Velvet-Quarry-92',
} as const;

/** The places of a purge at which the demo's hooks can be held; the last one is after them all. */
export const PURGE_STEPS = ['called', 'partly-gone', 'all-gone', 'asked', 'reported'] as const;
export type PurgeStep = (typeof PURGE_STEPS)[number];

declare global {
  interface Window {
    /** The demo's hooks tell it each step of a purge, and wait for it. */
    tachographPurgeStep?: (step: string) => Promise<void>;
    /** The step at which the purge of this page is held, and how to let it go on. */
    heldAt?: { readonly step: string; readonly release: () => void };
    /** What `read` has answered since the page began. */
    reads?: string[];
  }
}

/** Opens the demo in a new tab of a context, after `prepare`, which runs before any script of the page can. */
export async function openPage(
  where: Browser | BrowserContext,
  url: string,
  prepare: (page: Page) => Promise<unknown> = async () => undefined,
): Promise<Page> {
  const page = await where.newPage();
  await prepare(page);
  await page.goto(`${url}/demo/`, { waitUntil: 'load' });
  await demoReady(page);
  return page;
}

/** A tab whose vault is in the cache and may be read. */
export async function openVault(
  where: Browser | BrowserContext,
  url: string,
  prepare?: (page: Page) => Promise<unknown>,
): Promise<Page> {
  const page = await openPage(where, url, prepare);
  await vaultReady(page);
  return page;
}

/** Reads one item as a click does: its secret, or the reason of the refusal. */
export async function read(page: Page, id = 'i_11'): Promise<string> {
  return page.evaluate(async (item) => {
    const opened = await window.tachographDemo!.read(item);
    return opened.allowed ? opened.item.secret : opened.reason;
  }, id);
}

/** How many items lie in the cache, readable or not: counted past the app and the library. */
export async function cachedItems(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opened = indexedDB.open('tachograph-demo-vault');
        opened.addEventListener('error', () => reject(opened.error!));
        opened.addEventListener('success', () => {
          const count = opened.result.transaction('items').objectStore('items').count();
          count.addEventListener('success', () => {
            opened.result.close();
            resolve(count.result);
          });
        });
      }),
  );
}

async function deviceOf(page: Page): Promise<string> {
  const { origin } = await statusOf(page);
  return origin!.slice(origin!.lastIndexOf('/') + 1);
}

/** Revokes the device of a page by the control API, with an order to destroy its whole cache. */
export async function revoke(server: Served, page: Page): Promise<void> {
  const path = `/tenants/demo/devices/${await deviceOf(page)}/revoke`;
  await admin(server, 'POST', path, { reason: 'left the company', purge: ['*'] });
}

/** Waits until the page's library has this purge behind it, or is in it. */
export async function purgeIs(page: Page, state: 'purging' | 'purged', withinMs = 30_000): Promise<void> {
  await page.waitForFunction(
    (wanted) => window.tachographDemo?.status().purge?.state === wanted,
    {
      timeout: withinMs,
      polling: 50,
    },
    state,
  );
}

/** The feed, once it has an event of `type` that is by the log `origin`, or about its device. */
export async function feedWith(server: Served, type: string, origin: string): Promise<FeedLine[]> {
  const device = origin.slice(origin.lastIndexOf('/') + 1);
  return eventually(`${type} of ${device}`, async () => {
    const feed = await readFeed(server.dataDir);
    const isFound = feed.some(
      (line) => line.type === type && (line.source === origin || isAbout(line, device)),
    );
    return isFound ? feed : null;
  });
}

function isAbout({ data }: FeedLine, device: string): boolean {
  return data?.targets?.some(({ id }) => id === device) ?? false;
}

/** Moves the clock of the pages that this tab loads from now on. It is the wall clock only: the monotonic one goes on. */
export async function shiftClock(page: Page, byMs: number): Promise<void> {
  await page.evaluateOnNewDocument((shift) => {
    const Real = Date;
    const now = (): number => Real.now() + shift;
    class Shifted extends Real {
      constructor(...parts: [] | [number | string]) {
        if (parts.length === 0) super(now());
        else super(parts[0]);
      }
      static override now = now;
    }
    window.Date = Shifted as DateConstructor;
  }, byMs);
}

/** Holds the purges of this tab at one step, until they are released or the page dies. */
export async function holdPurge(page: Page, at: PurgeStep): Promise<void> {
  await page.evaluateOnNewDocument(
    (wanted) => {
      window.tachographPurgeStep = async (step) => {
        if (step !== wanted || window.heldAt !== undefined) return;
        await new Promise<void>((release) => {
          window.heldAt = { step, release };
        });
      };
    },
    at === 'reported' ? 'asked' : at,
  );
}

/** Asks and reads again and again from the first moment on, and keeps what was answered in `window.reads`. */
export async function readAllTheTime(page: Page): Promise<void> {
  await page.evaluateOnNewDocument(() => {
    const reads: string[] = (window.reads = []);
    const again = async (): Promise<void> => {
      const demo = window.tachographDemo;
      for (const answer of [demo?.buffer.offlineAccess({ scope: '*' }), demo?.read('i_11')]) {
        const access = await answer;
        if (access !== undefined) reads.push(access.allowed ? 'allowed' : access.reason);
      }
      setTimeout(() => void again(), 5);
    };
    void again();
  });
}

/** Ends the page's process at once, as running out of memory does. */
export async function crash(page: Page): Promise<void> {
  const crashed = once(page, 'error');
  const devtools = await page.createCDPSession();
  // Never answered: the process that would answer is gone.
  void devtools.send('Page.crash').catch((error: unknown) => String(error));
  await crashed;
}
