import { describe, expect, it } from '@jest/globals';
import { SERVER_VARIABLES } from '../../packages/tachograph/src/settings.ts';
import { page, tableRows } from './pages.ts';

describe('the settings in README.md', () => {
  it('are those that the server reads, with their defaults and meanings', () => {
    const written = tableRows(page('README.md'), (cell) => /^[A-Z][A-Z_]+$/.test(cell));
    const real = SERVER_VARIABLES.map(({ name, fallback, meaning }) => [name, fallback || '–', meaning]);
    expect(written).toEqual(real);
  });
});
