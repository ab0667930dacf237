/// <reference lib="webworker" />
import { shellRoute } from './shell-route.ts';

/**
 * Serves the page itself when the network or the server is gone, so that recording goes on after a reload. It
 * keeps the files of one build, all or none, and touches no other request.
 */
declare const self: ServiceWorkerGlobalScope;

/** Files of this build, relative to the scope. The build replaces the placeholder. */
declare const __SHELL__: { readonly version: string; readonly files: readonly string[] };

const SHELL = __SHELL__;
const CACHE_PREFIX = 'tachograph-demo-';
const CACHE_NAME = `${CACHE_PREFIX}${SHELL.version}`;
const PAGE = 'index.html';
const FILES: ReadonlySet<string> = new Set(SHELL.files);

self.addEventListener('install', (event) => {
  event.waitUntil(install());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(activate());
});

self.addEventListener('fetch', (event) => {
  const route = shellRoute(event.request, self.registration.scope, FILES);
  if (route === 'network') return;
  event.respondWith(
    route === 'page' ? cached(PAGE, event.request) : cached(event.request.url, event.request),
  );
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE_NAME);
  // Past the HTTP cache: a file of an older build under the same name must not end up in this one.
  await cache.addAll(SHELL.files.map((file) => new Request(address(file), { cache: 'reload' })));
  // The page is one bundle that is loaded whole, so a new worker never has to serve an old page's files.
  await self.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE_NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function cached(file: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE_NAME);
  // The user may have cleared the cache alone: then the network is as good as it gets.
  return (await cache.match(address(file), { ignoreSearch: true })) ?? fetch(request);
}

function address(file: string): string {
  return new URL(file, self.registration.scope).href;
}
