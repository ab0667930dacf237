import { describe, expect, it } from '@jest/globals';
import { shellRoute } from '../../src/worker/shell-route.ts';

const SCOPE = 'http://localhost:8787/demo/';
const ASSETS = new Set(['index.html', 'assets/demo-1.js']);

function route(path: string, { method = 'GET', mode = 'cors' } = {}) {
  return shellRoute({ method, mode, url: new URL(path, SCOPE).href }, SCOPE, ASSETS);
}

describe('the service worker', () => {
  it('serves the page for every navigation inside its scope', () => {
    expect(route('./', { mode: 'navigate' })).toBe('page');
    expect(route('./?from=mail', { mode: 'navigate' })).toBe('page');
  });

  it('serves the files of its build', () => {
    expect(route('./assets/demo-1.js')).toBe('asset');
    expect(route('./assets/demo-2.js')).toBe('network');
  });

  it('never answers for the API, the export or the configuration', () => {
    expect(route('/v1/logs/demo/device', { method: 'POST' })).toBe('network');
    expect(route('/v1/keys')).toBe('network');
    expect(route('./api/config')).toBe('network');
    expect(route('./api/export', { mode: 'navigate' })).toBe('network');
  });

  it('leaves other pages and other origins alone', () => {
    expect(route('/console/', { mode: 'navigate' })).toBe('network');
    expect(route('https://elsewhere.example/demo/index.html')).toBe('network');
  });
});
