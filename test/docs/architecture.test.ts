import { describe, expect, it } from '@jest/globals';
import { page, projectFiles } from './pages.ts';

type Manifest = { name: string; dependencies?: Record<string, string> };

describe('docs/ARCHITECTURE.md', () => {
  it('draws exactly the arrows that the packages declare', () => {
    const drawn = [...page('docs/ARCHITECTURE.md').matchAll(/^ {2}([a-z-]+) --> ([a-z-]+)$/gm)].map(
      ([, from, to]) => `${from} → ${to}`,
    );
    const declared = projectFiles('package.json')
      .filter((path) => path.startsWith('packages/'))
      .flatMap((path) => {
        const { name, dependencies } = JSON.parse(page(path)) as Manifest;
        const ours = Object.keys(dependencies ?? {}).filter((dependency) =>
          dependency.startsWith('@tachograph/'),
        );
        return ours.map((dependency) => `${short(name)} → ${short(dependency)}`);
      });
    expect(drawn.toSorted()).toEqual(declared.toSorted());
  });

  it('names every package', () => {
    const packages = projectFiles('package.json').filter((path) => path.startsWith('packages/'));
    const missing = packages
      .map((path) => path.split('/')[1]!)
      .filter((name) => !page('docs/ARCHITECTURE.md').includes(`| \`${name}\` |`));
    expect(missing).toEqual([]);
  });
});

function short(name: string): string {
  return name.replace('@tachograph/', '');
}
