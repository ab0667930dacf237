import { describe, expect, it } from '@jest/globals';
import { page, projectFiles, tableRows } from './pages.ts';

const NAME = /INV-\d{2}/g;

describe('docs/INVARIANTS.md', () => {
  const written = tableRows(page('docs/INVARIANTS.md'), (cell) => /^INV-\d{2}$/.test(cell)).map(
    ([name]) => name!,
  );
  const tests = projectFiles('.test.ts', '.contract.ts').filter((path) => !path.startsWith('test/docs/'));
  const named = new Set(tests.flatMap((path) => page(path).match(NAME) ?? []));

  it('numbers each invariant once and in order', () => {
    expect(written).toEqual(written.map((_, i) => `INV-${String(i + 1).padStart(2, '0')}`));
  });

  it('has a test for every invariant', () => {
    expect(written.filter((name) => !named.has(name))).toEqual([]);
  });

  it('has every invariant that a test names', () => {
    expect([...named].filter((name) => !written.includes(name))).toEqual([]);
  });
});
