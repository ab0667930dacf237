import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  AppendParser,
  concatBytes,
  formatAppend,
  LIMITS,
  parseAppend,
  REQUEST_NOTE,
  utf8,
} from '../src/index.ts';
import {
  bare,
  checkIn,
  checkpoint,
  checkpointOf,
  good,
  leaves,
  parseInPieces,
  requestNote,
} from './append-samples.ts';
import { codeOf } from './support.ts';

describe('the parser of appends', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 40 });
  const mutated = fc
    .record({
      body: fc.constantFrom(good, bare, checkIn),
      edits: fc.array(
        fc.record({
          at: fc.nat(),
          remove: fc.nat({ max: 5 }),
          insert: fc.oneof(
            fc.uint8Array({ maxLength: 6 }),
            fc
              .constantFrom('\n', '\n\n', 'old 4\n', '\r\n', '— ', requestNote, checkpoint, '{"a":1}\n')
              .map(utf8),
          ),
        }),
        { maxLength: 4 },
      ),
    })
    .map(({ body, edits }) =>
      edits.reduce((bytes, { at, remove, insert }) => {
        const start = at % (bytes.length + 1);
        return concatBytes(bytes.subarray(0, start), insert, bytes.subarray(start + remove));
      }, body),
    );
  const anyBody = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => concatBytes(bytes)),
    mutated,
  );

  it('answers the same whatever the pieces in which the body arrives, and never throws', () => {
    fc.assert(
      fc.property(anyBody, cuts, (body, at) => {
        const whole = parseAppend(body);
        expect(parseInPieces(body, at)).toEqual(whole);
        if (!whole.ok) expect(whole.fault.code).toMatch(/^ERR_[A-Z_]+$/);
      }),
      { numRuns: 3_000 },
    );
  });

  it('accepts nothing but what it would write itself', () => {
    fc.assert(
      fc.property(mutated, (body) => {
        const parsed = parseAppend(body);
        if (!parsed.ok) return;
        const { requestNote: note, old, checkpoint: signed, leaves: taken } = parsed.value;
        expect(formatAppend({ requestNote: note, old, checkpoint: signed.source, leaves: taken })).toEqual(
          body,
        );
      }),
      { numRuns: 3_000 },
    );
  });

  it('answers the same at every limit, whatever the pieces', async () => {
    const leaf = new Uint8Array(LIMITS.leafBytesMax).fill(0x78);
    const many = formatAppend({
      old: 0,
      checkpoint: await checkpointOf(20),
      leaves: Array.from({ length: 20 }, () => leaf),
    });
    const long = formatAppend({ old: 6, checkpoint, leaves: [concatBytes(leaf, leaf)] });
    const cutsOfLarge = fc.array(fc.nat({ max: many.length }), { maxLength: 10 });
    fc.assert(
      fc.property(fc.constantFrom(many, long), cutsOfLarge, (body, at) => {
        expect(parseInPieces(body, at)).toEqual(parseAppend(body));
      }),
      { numRuns: 30 },
    );
    expect(codeOf(parseAppend(many))).toBe('ERR_BODY_TOO_LARGE');
    expect(codeOf(parseAppend(long))).toBe('ERR_LEAF_TOO_LARGE');
  });

  it.each([
    ['the first line', utf8(''), 64, 'ERR_APPEND'],
    ['a line of the request note', utf8(`${REQUEST_NOTE.name}\n`), LIMITS.noteBytesMax, 'ERR_NOTE_TOO_LARGE'],
    ['a line of the checkpoint', utf8('old 4\n\n'), LIMITS.noteBytesMax, 'ERR_NOTE_TOO_LARGE'],
    [
      'a leaf',
      bare.subarray(0, bare.length - leaves.reduce((n, l) => n + l.length + 1, 0)),
      LIMITS.leafBytesMax + 256,
      'ERR_LEAF_TOO_LARGE',
    ],
  ])('refuses %s that never ends once its limit is reached', (_, head, bytesMax, code) => {
    const parser = new AppendParser();
    expect(parser.push(head).ok).toBe(true);
    const chunk = new Uint8Array(64).fill(0x78);
    let taken = 0;
    let pushed = parser.push(chunk);
    while (pushed.ok && taken <= LIMITS.appendBytesMax) {
      taken += chunk.length;
      pushed = parser.push(chunk);
    }
    expect(codeOf(pushed)).toBe(code);
    expect(taken).toBeLessThanOrEqual(bytesMax);
  });
});
