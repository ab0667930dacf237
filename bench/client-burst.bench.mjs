/**
 * Durable events a second in one burst, in real Chromium, beside workbox-background-sync and Sentry's offline
 * transport: the same machine, the same browser, the same run, rounds in turn. CPU is that of all of the browser's processes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { launchChromium } from '../test/support/chromium.ts';
import { cpuSecondsOf } from './support/cpu.mjs';
import { median, table } from './support/table.mjs';

const ROUNDS = 5;
const CANDIDATES = [
  { name: 'tachograph (strict, until signed)', run: 'tachograph', events: 50_000 },
  { name: 'workbox-background-sync', run: 'workbox', events: 1_000 },
  { name: '@sentry/browser offline', run: 'sentry', events: 1_000 },
];

const root = join(dirname(fileURLToPath(import.meta.url)), 'client-burst');
const out = await mkdtemp(join(tmpdir(), 'tachograph-bench-'));
await build({
  root,
  logLevel: 'error',
  base: './',
  build: { outDir: out, emptyOutDir: true, target: 'es2022' },
});
const server = await preview({
  root,
  logLevel: 'error',
  build: { outDir: out },
  preview: { port: 0, host: '127.0.0.1' },
});
const port = server.httpServer.address().port;
const browser = await launchChromium();
try {
  const rates = new Map(CANDIDATES.map(({ name }) => [name, []]));
  const cpu = new Map(CANDIDATES.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, run, events } of CANDIDATES) {
      const page = await browser.newPage();
      await page.goto(`http://localhost:${port}/`);
      await page.waitForFunction(() => window.bursts !== undefined);
      const before = cpuSecondsOf(browser.process().pid);
      const burst = await page.evaluate((which, count) => window.bursts[which](count), run, events);
      rates.get(name).push((burst.events / burst.ms) * 1000);
      cpu.get(name).push(((cpuSecondsOf(browser.process().pid) - before) / burst.events) * 100_000);
      await page.close();
    }
  }
  const ours = median(rates.get(CANDIDATES[0].name));
  table(
    `Client burst: durable events/s, ${await browser.version()}, median of ${ROUNDS} rounds`,
    ['', 'events', 'events/s', 'min', 'max', 'ours is', 'CPU s/100,000'],
    CANDIDATES.map(({ name, events }) => {
      const measured = rates.get(name);
      const middle = median(measured);
      return [
        name,
        events,
        middle,
        Math.min(...measured),
        Math.max(...measured),
        `${(ours / middle).toFixed(1)} ×`,
        median(cpu.get(name)).toFixed(1),
      ];
    }),
  );
} finally {
  await browser.close();
  await server.close();
  await rm(out, { recursive: true, force: true });
}
