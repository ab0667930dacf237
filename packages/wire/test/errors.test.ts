import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '../src/index.ts';

const PACKAGES = join(import.meta.dirname, '../..');
/** Codes of errors of Node and of its OpenSSL, which sources may recognise. */
const NODE_CODES =
  /^ERR_(BUFFER_TOO_LARGE|ENCODING_|HTTP_|INVALID_|SERVER_|SOCKET_|SQLITE_|SSL_|STREAM_|TLS_)/;
const rows = Object.entries(ERRORS);

/** Every TypeScript file under `folder`, with its text. */
function sourcesOf(folder: string): { file: string; text: string }[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/\/(node_modules|dist)\//.test(file))
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

describe('the error table', () => {
  it('has every code that a source names', () => {
    const unknown = readdirSync(PACKAGES)
      .flatMap((name) => sourcesOf(join(PACKAGES, name)))
      .filter(({ file }) => file.includes('/src/'))
      .flatMap(({ file, text }) =>
        [...text.matchAll(/\bERR_[A-Z0-9_]+\b/g)].map(([code]) => ({ file, code })),
      )
      .filter(({ code }) => !(code in ERRORS) && !NODE_CODES.test(code));
    expect(unknown).toEqual([]);
  });

  it('has a status that HTTP knows, or 0 for what never crosses HTTP', () => {
    const known = new Set([0, 400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503]);
    for (const [code, { status }] of rows)
      expect({ code, known: known.has(status) }).toEqual({ code, known: true });
  });

  it('says "later" wherever the status tells a client to come back', () => {
    for (const [code, { status, retry }] of rows) {
      if (status >= 500 || status === 429 || status === 408)
        expect({ code, retry }).toEqual({ code, retry: 'later' });
      if (status === 400 || status === 401 || status === 415)
        expect({ code, retry }).toEqual({ code, retry: 'never' });
    }
  });

  it('keeps what is wrong with the content of an entry out of HTTP: the entry stays in its place', () => {
    const content = rows.filter(([code]) => code.startsWith('ERR_LEAF_'));
    for (const [code, { status }] of content) {
      const framing = code === 'ERR_LEAF_COUNT' || code === 'ERR_LEAF_TOO_LARGE';
      expect({ code, status: status > 0 }).toEqual({ code, status: framing });
    }
  });

  it('says what each code means, in its own words', () => {
    for (const [code, { title, meaning }] of rows) {
      expect(code).toMatch(/^ERR_[A-Z0-9]+(_[A-Z0-9]+)*$/);
      expect(title).toMatch(/^[A-Z].*[^.]$/);
      expect(meaning).toMatch(/^[A-Z].*\.$/s);
    }
    expect(new Set(rows.map(([, { meaning }]) => meaning)).size).toBe(rows.length);
    expect(new Set(rows.map(([, { title }]) => title)).size).toBe(rows.length);
  });
});

describe('the sources of wire', () => {
  const src = join(import.meta.dirname, '../src');
  const imports = sourcesOf(src).flatMap(({ file, text }) =>
    [...text.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, name]) => ({
      file: file.slice(src.length + 1),
      name: name!,
    })),
  );

  it('import nothing of Node and nothing of ours: they run unchanged in browsers', () => {
    expect(imports.length).toBeGreaterThan(30);
    const outside = imports.filter(({ name }) => !name.startsWith('./') && !name.startsWith('../'));
    expect([...new Set(outside.map(({ name }) => name))].sort()).toEqual(['@noble/hashes/sha2.js', 'zod']);
  });

  it('import zod only in schema/, and nothing outside schema/ imports from it', () => {
    const outside = imports.filter(({ file }) => !file.startsWith('schema/'));
    expect(outside.filter(({ name }) => name === 'zod' || name.includes('schema/'))).toEqual([]);
  });

  it('use no global of Node', () => {
    const globals = /\b(Buffer|process|require|__dirname|__filename|setImmediate)\b(?!['"\w])/;
    const code = (text: string) =>
      text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').replace(/'[^'\n]*'|`[^`]*`/g, '');
    const users = sourcesOf(src).filter(({ text }) => globals.test(code(text)));
    expect(users.map(({ file }) => file)).toEqual([]);
  });
});
