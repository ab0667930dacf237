import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parseCheckpointNote, parseNote, parseVkey, verifyCosignature, type NoteKey } from '@tachograph/wire';
import type { Browser, Page } from 'puppeteer-core';
import { launchChromium } from '../support/chromium.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import { demoReady, drained, goOffline, openDemo, statusOf, vaultReady } from './demo-page.ts';

describe('the demo in real Chromium', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    dir = await tempDir();
    server = await serve({ dataDir: dir.path });
    browser = await launchChromium();
  });
  beforeEach(async () => {
    page = await openDemo(browser, server.url);
    await vaultReady(page);
  });
  afterEach(() => page.close());
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await dir?.remove();
  });

  it('shows a secret once its entry is durable, and then a receipt that verifies without it', async () => {
    await page.locator(test('reveal-i_11')).click();
    await page.waitForSelector(`${test('secret-i_11')}.is-revealed`);
    expect((await statusOf(page)).ledger.durable).toBeGreaterThanOrEqual(1);
    await drained(page);
    await page.waitForSelector(`${test('entry')} [data-state="accepted"]`);
    await page.locator(test('entry')).click();
    const note = await page.$eval(test('receipt-note'), (element) => element.textContent ?? '');

    const checkpoint = parseCheckpointNote(note);
    if (!checkpoint.ok) throw new Error(checkpoint.fault.detail);
    const { keys } = (await (await fetch(`${server.url}/v1/keys`)).json()) as { keys: string };
    const cosigned = await verifyCosignature(
      checkpoint.value,
      checkpoint.value.note.signatures,
      vkeysOf(keys),
    );
    expect(cosigned?.key.name).toBe('localhost/ingest');
    expect(checkpoint.value.size).toBeGreaterThanOrEqual(1);
  });

  it('puts what was exported into the strip, by the place that the entry has in its log', async () => {
    await page.locator(test('export-i_22')).click();
    await page.waitForFunction(
      (selector) => document.querySelector(selector)?.textContent?.includes('item.export') === true,
      { timeout: 20_000 },
      test('export-row'),
    );
    const row = await page.$eval(test('export-row'), (element) => element.textContent ?? '');
    expect(row).toMatch(/^item\.export Payroll.*#\d+$/);
  });

  it('runs under its strict content security policy and asks nobody but its own server', async () => {
    const errors: string[] = [];
    const origins = new Set<string>();
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    const answer = await page.reload();
    await vaultReady(page);
    await page.locator(test('reveal-i_13')).click();
    await page.waitForSelector(`${test('secret-i_13')}.is-revealed`);
    expect(errors).toEqual([]);
    expect([...origins]).toEqual([server.url]);
    const policy = (await fetch(answer!.url())).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
  });

  it('is still there, and still records, when it is loaded anew with the server gone', async () => {
    await drained(page);
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    await server.stop();
    await page.reload();
    await demoReady(page);
    await vaultReady(page);
    await page.locator(test('copy-i_12')).click();
    await pendingBecomes(1);
    server = await serve({ dataDir: dir.path, port: server.port });
    await drained(page);
    await pendingBecomes(0);
  }, 90_000);

  it('keeps its switch in every tab', async () => {
    const other = await openDemo(browser, server.url);
    // The tab in front is clicked; the one behind gets no animation frames, so it is asked by a timer.
    for (const offline of [true, false]) {
      await goOffline(other, offline);
      await page.waitForFunction(
        (selector, state) => document.querySelector(selector)?.getAttribute('aria-checked') === state,
        { polling: 50 },
        test('offline-switch'),
        String(offline),
      );
    }
  });

  async function pendingBecomes(count: number): Promise<void> {
    await page.waitForFunction(
      (selector, text) => document.querySelector(selector)?.textContent === text,
      {},
      test('count-pending'),
      String(count),
    );
  }
});

function test(id: string): string {
  return `[data-testid="${id}"]`;
}

/** The keys of a keys note, as somebody takes them who trusts where the note came from. */
function vkeysOf(keysNote: string): NoteKey[] {
  const note = parseNote(keysNote);
  if (!note.ok) throw new Error(note.fault.detail);
  return note.value.text
    .split('\n')
    .map((line) => parseVkey(line))
    .flatMap((key) => (key.ok ? [key.value] : []));
}
