import { describe, expect, it } from '@jest/globals';
import { MEMBER_MEANINGS } from '../../packages/siem-export/src/routes-file/members.ts';
import { page, tableRows } from './pages.ts';
import { routesSchemaText } from './routes-schema.ts';

describe('docs/routes.schema.json', () => {
  it('is what the schemas of routes and sinks say (npm run routes-schema)', () => {
    expect(page('docs/routes.schema.json')).toBe(routesSchemaText());
  });
});

describe('docs/ROUTES.md', () => {
  it('has every member of a route, with the meaning that editors show', () => {
    const rows = tableRows(page('docs/ROUTES.md'), (cell) => cell in MEMBER_MEANINGS);
    const plain = (text: string) => text.replaceAll('`', '');
    const expected = Object.entries(MEMBER_MEANINGS).map(([name, meaning]) => [name, plain(meaning)]);
    expect(rows.map(([name, , meaning]) => [name, meaning])).toEqual(expected);
  });
});
