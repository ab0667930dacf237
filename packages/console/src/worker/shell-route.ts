/** How the service worker answers: from the shell's page, from the precached files, or not at all. */
export type ShellRoute = 'page' | 'asset' | 'network';

/**
 * Decides by method, mode and address only. Whatever is not a file of the build goes to the network untouched:
 * the answers of `/v1` and of `api/` are receipts and live data, and a cached one would be a lie.
 */
export function shellRoute(
  request: { readonly method: string; readonly mode: string; readonly url: string },
  scope: string,
  assets: ReadonlySet<string>,
): ShellRoute {
  if (request.method !== 'GET') return 'network';
  const url = new URL(request.url);
  const base = new URL(scope);
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return 'network';
  const path = url.pathname.slice(base.pathname.length);
  if (path.startsWith('api/')) return 'network';
  if (assets.has(path)) return 'asset';
  return request.mode === 'navigate' ? 'page' : 'network';
}
