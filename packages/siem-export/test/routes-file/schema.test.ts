import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { SINKS } from '../../src/sinks/registry.ts';
import { page } from '../../../../test/docs/pages.ts';
import { routesFileSchema } from '../../src/routes-file/schema.ts';
import { readRoutesFile } from '../../src/routes-file/written-routes.ts';

// "strict" is about what a schema's author forgot; zod writes "format" for editors, which ajv does not know by itself.
const isValid = new Ajv({ strict: false, validateFormats: false }).compile(routesFileSchema() as object);

const ROUTE = { name: 'a', tenants: '*', format: 'raw', sink: { type: 'file', stem: 'a' } };
const { tenants: _tenants, ...WITHOUT } = ROUTE;

describe('the JSON schema of the file of routes', () => {
  it.each([
    ['a route for every tenant', ROUTE, true],
    ['a route for all customers', { ...ROUTE, tenants: { childrenOf: 'msp' } }, true],
    [
      'a template',
      { ...WITHOUT, eachChildOf: 'msp', name: 'a-{tenant}', sink: { type: 'file', stem: '{tenant}' } },
      true,
    ],
    ['a route without tenants', WITHOUT, false],
    ['a route with tenants and as a template', { ...ROUTE, eachChildOf: 'msp' }, false],
    ['an unknown member', { ...ROUTE, dead_letters: 'a' }, false],
    ['an unknown sink', { ...ROUTE, sink: { type: 'fax' } }, false],
    ['an unknown setting of a sink', { ...ROUTE, sink: { ...ROUTE.sink, bytes: 1 } }, false],
    ['a name in capitals', { ...ROUTE, name: 'A' }, false],
  ])('agrees with the reader of the file on %s', (_what, route, expected) => {
    expect(isValid({ routes: [route] })).toBe(expected);
    expect(readRoutesFile(JSON.stringify({ routes: [route] })).ok).toBe(expected);
  });

  it('has every sink that there is', () => {
    const text = JSON.stringify(routesFileSchema());
    for (const { type } of SINKS) expect(text).toContain(`"const":"${type}"`);
  });

  it('takes the examples of docs/ROUTES.md, as the reader does', () => {
    const examples = [...page('docs/ROUTES.md').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
      ([, body]) => body!,
    );
    expect(examples.length).toBeGreaterThan(3);
    for (const example of examples) {
      expect(readRoutesFile(example)).toMatchObject({ ok: true, warnings: [] });
      expect([example, isValid(parse(example)), isValid.errors]).toEqual([example, true, null]);
    }
  });
});
