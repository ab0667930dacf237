import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { expandRoutes } from '../../src/routes-file/expand-routes.ts';
import { readRoutesFile } from '../../src/routes-file/written-routes.ts';
import { parseRoutes } from '../../src/route.ts';
import { fileSink } from '../../src/sinks/file.ts';
import { POST_SINK } from '../support/post-sink.ts';

const SINKS = [fileSink, POST_SINK];
const TENANTS = [
  { id: 'msp', parent: null },
  { id: 'acme', parent: 'msp' },
];
const GOOD = `routes:
  - &first
    name: siem-{tenant}
    eachChildOf: msp
    actions: [item.reveal]
    format: ecs
    time: { auto: { olderThanHours: 48 } }
    sink: { type: file, stem: 'feed-{tenant}' }
  - name: all
    tenants: '*'
    format: raw
    sink: { type: post, url: 'https://siem.example', token: { env: TOKEN } }
`;
/** What may be cut out of the file, or be put into it, at any place. */
const PIECES = [
  '',
  ' ',
  '\n',
  '\t',
  '-',
  '- ',
  ':',
  ': ',
  '{',
  '}',
  '[',
  ']',
  "'",
  '"',
  '#',
  '&a ',
  '*a',
  '*first',
  '!',
  '|',
  '>',
  '%',
  '?',
  ',',
  '__proto__: 1',
  '~',
  '{tenant}',
  '0',
  '\u0000',
  '\ud800',
  '---\n',
  '<<: *first',
];

/** Every way in which the file may be read, and every place in it that is told. */
function look(text: string): void {
  const read = readRoutesFile(text, SINKS);
  const lines = text.split(/\r\n|\n|\r/).length;
  for (const { place } of read.ok ? read.warnings : read.problems) {
    expect(place.line).toBeGreaterThanOrEqual(1);
    expect(place.line).toBeLessThanOrEqual(lines);
    expect(place.column).toBeGreaterThanOrEqual(1);
  }
  // What was read without a problem is always what an exporter takes.
  if (read.ok) parseRoutes(expandRoutes(read.routes, TENANTS).routes, SINKS);
  else expect(read.problems.length).toBeGreaterThan(0);
}

describe('a file of routes, whatever stands in it,', () => {
  const warned = jest.spyOn(process, 'emitWarning');
  // The parser would say there what it finds odd, with the text itself.
  afterEach(() => expect(warned).not.toHaveBeenCalled());
  afterAll(() => warned.mockRestore());

  it('is read or refused, with places that exist', () => {
    look(GOOD);
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), look), { numRuns: 500 });
    fc.assert(fc.property(fc.json({ maxDepth: 6 }), look), { numRuns: 300 });
  });

  it('is so with anything cut out of it, and anything put into it', () => {
    const edit = fc.record({
      at: fc.nat(GOOD.length),
      remove: fc.nat(30),
      insert: fc.constantFrom(...PIECES),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        look(
          edits.reduce(
            (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
            GOOD,
          ),
        );
      }),
      { numRuns: 1_500 },
    );
  });
});
