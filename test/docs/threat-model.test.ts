import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { page, projectFiles, ROOT } from './pages.ts';

const PAGE = 'docs/THREAT-MODEL.md';
const text = page(PAGE);

/** A row of a table of threats, and the tests that it names. */
const rows = text.split('\n').filter((line) => line.startsWith('| ') && line.split(' | ').length === 5);
const threats = rows.filter((line) => !line.startsWith('| attacker'));

type Shown = { readonly name: string; readonly file: string };

function shownIn(part: string): Shown[] {
  // The text of a link is the name, or its title where the text is a word of the sentence.
  const links = part.matchAll(/\[([^\]]+)\]\((\S+\.test\.ts)(?: "([^"]+)")?\)/g);
  return [...links].map(([, label, path, title]) => ({
    name: title ?? label!,
    file: posix.normalize(posix.join('docs', path!)),
  }));
}

/** Whether a test or a group of tests in `source` has a name that begins so. */
function hasTest(source: string, name: string): boolean {
  const literal = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^\\s*(?:(?:it|describe)\\b.*\\(|\\]\\)\\()?['"]${literal}`, 'm').test(source);
}

describe('docs/THREAT-MODEL.md', () => {
  it('has a test in every row', () => {
    expect(threats.length).toBeGreaterThan(20);
    expect(threats.filter((row) => shownIn(row).length === 0)).toEqual([]);
  });

  it('names tests that exist, in files that exist', () => {
    const shown = shownIn(text);
    expect(shown.filter(({ file }) => !existsSync(`${ROOT}${file}`))).toEqual([]);
    expect(shown.filter(({ name, file }) => !hasTest(page(file), name))).toEqual([]);
  });

  it('would notice a name that no test has, or that is only a part of one', () => {
    const { name, file } = shownIn(text)[0]!;
    expect(hasTest(page(file), name)).toBe(true);
    expect(hasTest(page(file), `${name} and more`)).toBe(false);
    expect(hasTest(page(file), name.slice(1))).toBe(false);
  });

  it('names invariants that exist', () => {
    const named = [...new Set(text.match(/INV-\d+/g))];
    const known = page('docs/INVARIANTS.md');
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((invariant) => !known.includes(`| ${invariant} |`))).toEqual([]);
  });

  it('links to headings that exist', () => {
    const links = [...text.matchAll(/\]\(([A-Z-]+\.md)#([^)]+)\)/g)];
    expect(links.length).toBeGreaterThan(0);
    const missing = links.filter(([, file, anchor]) => !anchorsOf(page(`docs/${file}`)).includes(anchor!));
    expect(missing).toEqual([]);
  });
});

describe('the words of the pages', () => {
  it.each([/tamper[- ]?proof/i, /proof of deletion/i, /device[- ]bound\b/i])(
    'never promise %s',
    (promise) => {
      const pages = projectFiles('.md', '.html').filter((path) => existsSync(`${ROOT}${path}`));
      expect(pages).toContain(PAGE);
      expect(pages.filter((path) => promise.test(page(path)))).toEqual([]);
    },
  );
});

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
}
