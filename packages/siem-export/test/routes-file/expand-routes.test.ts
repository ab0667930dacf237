import { describe, expect, it } from '@jest/globals';
import { expandRoutes, type KnownTenant } from '../../src/routes-file/expand-routes.ts';
import { describeProblem } from '../../src/routes-file/problem.ts';
import { readRoutesFile, type WrittenRoute } from '../../src/routes-file/written-routes.ts';
import { parseRoutes } from '../../src/route.ts';

const TENANTS: readonly KnownTenant[] = [
  { id: 'msp', parent: null },
  { id: 'northwind', parent: 'msp' },
  { id: 'acme', parent: 'msp' },
  { id: 'solo', parent: null },
];

function written(text: string): readonly WrittenRoute[] {
  const read = readRoutesFile(text);
  if (!read.ok) throw new Error(read.problems.map((each) => describeProblem('routes.yaml', each)).join('\n'));
  return read.routes;
}

const expand = (text: string, tenants: readonly KnownTenant[] | null = TENANTS) =>
  expandRoutes(written(text), tenants);

const TEMPLATE = `
  - name: siem-{tenant}
    eachChildOf: msp
    actions: [item.reveal]
    format: ecs
    time: received
    sink: { type: file, stem: 'feed-{tenant}' }
    deadLetters: 'refused-{tenant}'
`;
const file = (name: string, tenants: string, stem = name): string =>
  `\n  - { name: ${name}, tenants: ${tenants}, format: raw, sink: { type: file, stem: ${stem} } }\n`;

describe('the routes of a file', () => {
  it('are one for each customer of a provider, with its name wherever the placeholder stands', () => {
    const { routes, warnings, uncovered } = expand(`routes:${TEMPLATE}`);
    expect(routes).toMatchObject(
      ['acme', 'northwind'].map((id) => ({
        name: `siem-${id}`,
        tenants: [id],
        actions: ['item.reveal'],
        format: 'ecs',
        time: 'received',
        sink: { type: 'file', stem: `feed-${id}` },
        deadLetters: `refused-${id}`,
      })),
    );
    expect(warnings).toEqual([]);
    expect(uncovered).toEqual(['msp', 'solo']);
  });

  it('are one for all customers together where childrenOf says so', () => {
    const { routes, uncovered } = expand(`routes:${file('siem', '{ childrenOf: msp }')}`);
    expect(routes).toMatchObject([{ name: 'siem', tenants: ['acme', 'northwind'] }]);
    expect(uncovered).toEqual(['msp', 'solo']);
  });

  it('leave nobody out where one of them is for every tenant', () => {
    expect(expand(`routes:${file('all', '"*"')}`).uncovered).toEqual([]);
  });

  it('are always what an exporter takes', () => {
    const { routes } = expand(`routes:${TEMPLATE}${file('all', '"*"')}${file('one', '[acme, ghost]')}`);
    expect(parseRoutes(routes)).toHaveLength(4);
  });

  it('warn of tenants that do not exist, and of providers without customers, and go on', () => {
    const text = `routes:${file('a', '[acme, ghost]')}${file('b', '{ childrenOf: solo }')}${TEMPLATE.replace('msp', 'nobody')}`;
    const { routes, warnings } = expand(text);
    expect(routes.map(({ name, tenants }) => [name, tenants])).toEqual([['a', ['acme', 'ghost']]]);
    expect(warnings.map(({ severity, path, message }) => [severity, path, message])).toEqual([
      ['warning', 'routes[0].tenants[1]', 'there is no tenant ghost yet'],
      ['warning', 'routes[1].tenants.childrenOf', 'solo has no customers yet'],
      ['warning', 'routes[2].eachChildOf', 'there is no tenant nobody yet'],
    ]);
  });

  it('are those that need no tenants to be known where nobody knows them', () => {
    const { routes, warnings, uncovered } = expand(`routes:${TEMPLATE}${file('a', '[acme]')}`, null);
    expect(routes).toMatchObject([{ name: 'a', tenants: ['acme'] }]);
    expect(warnings.map(({ message }) => message)).toEqual([
      'nobody knows the tenants here, so this route is left out',
    ]);
    expect(uncovered).toEqual([]);
  });

  it('are the same, the others untouched, when a customer is made', () => {
    const text = `routes:${TEMPLATE}${file('all', '"*"')}`;
    const before = expand(text).routes;
    const after = expand(text, [...TENANTS, { id: 'bravo', parent: 'msp' }]).routes;
    const named = new Map(after.map((route) => [route.name, route]));
    for (const route of before) expect(named.get(route.name)).toEqual(route);
    expect(after.map(({ name }) => name)).toEqual(['all', 'siem-acme', 'siem-bravo', 'siem-northwind']);
  });

  it('are never taken away by a new customer: a route that would clash or not fit is left out, with a warning', () => {
    const long = 'a'.repeat(63);
    const tenants = [...TENANTS, { id: 'feed', parent: 'msp' }, { id: long, parent: 'msp' }];
    const text = `routes:${TEMPLATE}${file('siem-feed', '[solo]')}`;
    const { routes, warnings, leftOut } = expand(text, tenants);
    expect(routes.map(({ name }) => name)).toEqual(['siem-feed', 'siem-acme', 'siem-northwind']);
    expect(leftOut).toBe(2);
    expect(warnings.map(({ message }) => message)).toEqual([
      'the route for feed is left out: the name siem-feed is taken by another route',
      `the route for ${long} is left out: name: expected 1 to 63 of a-z, 0-9 and -`,
    ]);
  });
});
