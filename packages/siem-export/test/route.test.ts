import { describe, expect, it } from '@jest/globals';
import { DEFAULT_ROUTE, parseRoutes } from '../src/index.ts';

describe('routes', () => {
  it('take the default one, and fill in the limits of its file', () => {
    expect(parseRoutes([DEFAULT_ROUTE])[0]).toMatchObject({
      name: 'events',
      tenants: '*',
      sink: { type: 'file', stem: 'events', ageSecondsMax: 86_400 },
    });
  });

  it('may be none: a file of templates has none before the first child', () => {
    expect(parseRoutes([])).toEqual([]);
  });

  it.each([
    ['two routes of one name', [DEFAULT_ROUTE, { ...DEFAULT_ROUTE, sink: { type: 'file', stem: 'b' } }]],
    ['two routes into one file', [DEFAULT_ROUTE, { ...DEFAULT_ROUTE, name: 'b', deadLetters: 'b' }]],
    ['a feed that is its own dead letters', [{ ...DEFAULT_ROUTE, deadLetters: 'events' }]],
    ['an unknown sink', [{ ...DEFAULT_ROUTE, sink: { type: 'fax' } }]],
    ['an unknown format', [{ ...DEFAULT_ROUTE, format: 'xml' }]],
    ['an unknown member', [{ ...DEFAULT_ROUTE, tenant: 'acme' }]],
    ['no tenant at all', [{ ...DEFAULT_ROUTE, tenants: [] }]],
  ])('refuse %s', (_what, routes) => {
    expect(() => parseRoutes(routes)).toThrow();
  });
});
