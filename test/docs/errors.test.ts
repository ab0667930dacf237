import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '@tachograph/wire';
import { page, projectFiles, tableRows } from './pages.ts';

describe('docs/ERRORS.md', () => {
  it('says of every code what the table in the code says, and of no other', () => {
    const written = tableRows(page('docs/ERRORS.md'), (cell) => cell.startsWith('ERR_'));
    const real = Object.entries(ERRORS).map(([code, { status, retry, title, meaning }]) => [
      code,
      status === 0 ? '–' : String(status),
      retry,
      title,
      meaning,
    ]);
    expect(written).toEqual(real);
  });

  it('lists no code that nothing uses', () => {
    const sources = projectFiles('.ts')
      .filter((path) => path.includes('/src/') && !path.endsWith('wire/src/errors.ts'))
      .map(page)
      .join('\n');
    const unused = Object.keys(ERRORS).filter((code) => !sources.includes(`'${code}'`));
    expect(unused).toEqual([]);
  });
});
