import { describe, expect, it } from '@jest/globals';
import { page } from './pages.ts';

describe('package-lock.json', () => {
  it('carries no download addresses', () => {
    expect(page('package-lock.json')).not.toMatch(/"resolved": "http/);
  });
});
