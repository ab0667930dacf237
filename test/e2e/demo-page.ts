import type { Browser, Page } from 'puppeteer-core';

/** What the demo app shows to tests: its buffer, as an embedding app holds it. */
export type Demo = {
  status(): {
    readonly state: string;
    readonly origin: string | null;
    readonly ledger: { readonly durable: number; readonly accepted: number; readonly pending: number };
    readonly purge: { readonly state: 'purging' | 'purged'; readonly scopes: readonly string[] } | null;
  };
  /** Reads one item of the offline cache. */
  read(
    id: string,
  ): Promise<
    | { readonly allowed: true; readonly item: { readonly secret: string } }
    | { readonly allowed: false; readonly reason: string }
  >;
  readonly buffer: {
    record(
      action: string,
      details: object,
    ): { id: string; durable: Promise<{ origin: string; index: number }> };
    flush(): Promise<void>;
    offlineAccess(request: {
      readonly scope: string;
    }): Promise<{ readonly allowed: true } | { readonly allowed: false; readonly reason: string }>;
  };
};

/** One event that a page saw become durable: where it stands, and what it was. */
export type Durable = { readonly id: string; readonly origin: string; readonly index: number };

declare global {
  interface Window {
    tachographDemo?: Demo;
    /** Bound by the test: called for each event when its `durable` resolves. */
    reportDurable?: (event: Durable) => Promise<void>;
  }
}

/** Opens the demo in a new tab and waits until its buffer has opened its store. */
export async function openDemo(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${url}/demo/`, { waitUntil: 'load' });
  await demoReady(page);
  return page;
}

export async function demoReady(page: Page): Promise<void> {
  await page.waitForFunction(() => (window.tachographDemo?.status().origin ?? null) !== null);
}

/** Waits until the items of the vault are in the cache, and a lease lets them be read. */
export async function vaultReady(page: Page): Promise<void> {
  await page.waitForSelector('[data-testid="reveal-i_11"]', { timeout: 30_000 });
}

export async function statusOf(page: Page): Promise<ReturnType<Demo['status']>> {
  return page.evaluate(() => window.tachographDemo!.status());
}

/** Waits until ingest has answered this device with a receipt for everything that is durable in this profile. */
export async function drained(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const status = window.tachographDemo?.status();
      return status?.state === 'online' && status.ledger.pending === 0 && status.ledger.accepted > 0;
    },
    { timeout: 60_000 },
  );
}

/** Collects what the page reports durable. Call it before {@link recordReported}. */
export async function collectDurable(page: Page, into: Durable[]): Promise<void> {
  await page.exposeFunction('reportDurable', (event: Durable) => {
    into.push(event);
  });
}

/** Records `count` events one after the other and reports each when it is durable. */
export async function recordReported(page: Page, count: number, label: string): Promise<void> {
  await page.evaluate(
    async (times, name) => {
      for (let i = 0; i < times; i++) {
        const entry = window.tachographDemo!.buffer.record('item.reveal', {
          actor: { id: 'u_7' },
          targets: [{ type: 'item', id: `${name}-${i}` }],
          data: { vault: 'v_1' },
        });
        const place = await entry.durable;
        await window.reportDurable!({ id: entry.id, ...place });
      }
    },
    count,
    label,
  );
}

/** Moves the demo's switch. */
export async function goOffline(page: Page, offline: boolean): Promise<void> {
  const selector = '[data-testid="offline-switch"]';
  await page.waitForSelector(selector);
  const isOffline = await page.$eval(selector, (element) =>
    element instanceof HTMLInputElement ? element.checked : element.getAttribute('aria-checked') === 'true',
  );
  if (isOffline !== offline) await page.locator(selector).click();
}
