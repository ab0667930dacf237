import { describe, expect, it } from '@jest/globals';
import { fieldsPage } from './fields-page.ts';
import { page } from './pages.ts';

describe('docs/FIELDS.md', () => {
  it('is what the schemas and the tables of the formats say (npm run fields)', () => {
    expect(page('docs/FIELDS.md')).toBe(fieldsPage());
  });
});
