import { describe, expect, it } from '@jest/globals';
import { page, projectFiles } from './pages.ts';

type Manifest = { dependencies?: Record<string, string>; devDependencies?: Record<string, string> };

describe('docs/decisions/0005-dependencies.md', () => {
  it('gives a reason for every dependency', () => {
    const reasons = page('docs/decisions/0005-dependencies.md');
    const unexplained = projectFiles('package.json')
      .flatMap((path) => {
        const { dependencies, devDependencies } = JSON.parse(page(path)) as Manifest;
        return Object.keys({ ...dependencies, ...devDependencies });
      })
      .filter(
        (name) =>
          !name.startsWith('@tachograph/') && !name.startsWith('@types/') && !reasons.includes(`\`${name}\``),
      );
    expect(unexplained).toEqual([]);
  });
});
