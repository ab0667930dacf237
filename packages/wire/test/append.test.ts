import { describe, expect, it } from '@jest/globals';
import {
  AppendParser,
  concatBytes,
  EMPTY_ROOT,
  formatAppend,
  LIMITS,
  parseAppend,
  REQUEST_NOTE,
  toBase64,
  utf8,
  type Bytes,
} from '../src/index.ts';
import {
  bare,
  checkIn,
  checkpoint,
  checkpointOf,
  good,
  leaves,
  origin,
  parseInPieces,
  requestNote,
} from './append-samples.ts';
import { codeOf, faultOf, valueOf } from './support.ts';

const LF = 10;

const textOf = (body: Bytes) => new TextDecoder().decode(body);
const edit = (from: string, to: string) => utf8(textOf(bare).replace(from, to));

describe('an append', () => {
  it('reads back, with a request note and without, with leaves and without', () => {
    const parsed = valueOf(parseAppend(good));
    expect(parsed).toMatchObject({ requestNote, old: 4, leaves });
    expect(parsed.checkpoint.source).toBe(checkpoint);
    expect(valueOf(parseAppend(bare))).toEqual({ ...parsed, requestNote: null });
    expect(valueOf(parseAppend(checkIn))).toEqual({ ...parsed, old: 7, leaves: [] });
  });

  it('keeps every byte of a leaf but the line feed, also where it is no text', () => {
    const bytes = Uint8Array.from({ length: 255 }, (_, i) => (i < 10 ? i : i + 1));
    const body = formatAppend({ old: 6, checkpoint, leaves: [bytes] });
    expect(valueOf(parseAppend(body)).leaves).toEqual([bytes]);
  });

  it('may carry up to 16 signatures', async () => {
    const line = checkpoint.slice(checkpoint.indexOf('— '));
    const signed = checkpoint + line.repeat(15);
    expect(codeOf(parseAppend(formatAppend({ old: 4, checkpoint: signed, leaves })))).toBe('accepted');
    expect(codeOf(parseAppend(formatAppend({ old: 4, checkpoint: signed + line, leaves })))).toBe('ERR_NOTE');
  });

  it('may be as large as the limits and no larger', async () => {
    const full = await checkpointOf(2_000);
    const many = Array.from({ length: 2_000 }, () => utf8('x'));
    expect(codeOf(parseAppend(formatAppend({ old: 0, checkpoint: full, leaves: many })))).toBe('accepted');

    const head = formatAppend({ old: 0, checkpoint: await checkpointOf(16), leaves: [] }).length;
    const large = new Uint8Array(LIMITS.leafBytesMax).fill(0x78);
    const last = large.subarray(0, LIMITS.appendBytesMax - head - 15 * (large.length + 1) - 1);
    const filled = formatAppend({
      old: 0,
      checkpoint: await checkpointOf(16),
      leaves: [...Array.from({ length: 15 }, () => large), last],
    });
    expect(filled).toHaveLength(LIMITS.appendBytesMax);
    expect(codeOf(parseAppend(filled))).toBe('accepted');
    const over = concatBytes(filled, utf8('\n'));
    expect(faultOf(parseAppend(over))).toMatchObject({
      code: 'ERR_BODY_TOO_LARGE',
      limit: LIMITS.appendBytesMax,
    });
  });
});

describe('a malformed append', () => {
  const line = (text: string) => `${text}\n`;
  const [head, tail] = [line('old 4'), textOf(bare).slice(line('old 4').length)];
  const rest = textOf(bare).slice(textOf(bare).indexOf('\n\n—'));
  const withNote = (note: string) => utf8(`old 4\n\n${note}\n{"a":1}\n\n{"b":2}\n`);
  const big = 'x'.repeat(LIMITS.leafBytesMax + 1);

  it.each<[string, Bytes, string]>([
    ['nothing', utf8(''), 'ERR_APPEND'],
    ['a line feed alone', utf8('\n'), 'ERR_APPEND'],
    ['HTML', utf8('<!doctype html>\n<html>\n'), 'ERR_APPEND'],
    ['a byte order mark', utf8(`\ufeff${textOf(bare)}`), 'ERR_APPEND'],
    ['"old" in capitals', edit('old', 'Old'), 'ERR_APPEND'],
    ['no space behind "old"', edit('old 4', 'old4'), 'ERR_APPEND'],
    ['no number behind "old"', edit('old 4', 'old '), 'ERR_NUMBER'],
    ['two spaces behind "old"', edit('old 4', 'old  4'), 'ERR_NUMBER'],
    ['a space behind the number', edit('old 4', 'old 4 '), 'ERR_NUMBER'],
    ['a leading zero', edit('old 4', 'old 04'), 'ERR_NUMBER'],
    ['a negative number', edit('old 4', 'old -4'), 'ERR_NUMBER'],
    ['a number of 2^53', edit('old 4', 'old 9007199254740992'), 'ERR_NUMBER'],
    ['a number of 40 digits', edit('old 4', `old ${'4'.repeat(40)}`), 'ERR_APPEND'],
    ['no "old" line', utf8(tail), 'ERR_APPEND'],
    ['"old" twice', utf8(head + textOf(bare)), 'ERR_APPEND'],
    ['no empty line behind "old"', edit('\n\n', '\n'), 'ERR_APPEND'],
    ['two empty lines behind "old"', edit('\n\n', '\n\n\n'), 'ERR_NOTE'],
    ['CRLF behind "old"', edit('old 4\n', 'old 4\r\n'), 'ERR_NUMBER'],
    ['CRLF for the first empty line', edit('\n\n', '\n\r\n'), 'ERR_APPEND'],
    ['CRLF in the checkpoint', edit(`${origin}\n`, `${origin}\r\n`), 'ERR_NOTE'],
    ['CRLF for the empty line of the checkpoint', edit('\n\n—', '\n\r\n—'), 'ERR_NOTE'],
    ['CRLF behind the signature', edit('\n\n{', '\r\n\n{'), 'ERR_NOTE'],
    ['CRLF everywhere', utf8(textOf(bare).replaceAll('\n', '\r\n')), 'ERR_NUMBER'],
    ['no empty line behind the checkpoint', edit('\n\n{', '\n{'), 'ERR_NOTE'],
    ['bad UTF-8 in the "old" line', concatBytes(Uint8Array.of(0xff), bare), 'ERR_APPEND'],
    [
      'bad UTF-8 in the checkpoint',
      concatBytes(utf8(`${head}\n`), Uint8Array.of(0xc0, 0xaf), utf8(tail)),
      'ERR_APPEND',
    ],
    ['no signature', edit(rest, '\n\n\n'), 'ERR_NOTE'],
    ['a checkpoint of two lines', edit('\n7\n', '\n'), 'ERR_CHECKPOINT'],
    ['a checkpoint with an extension', edit('\n7\n', '\n7\nmore\n'), 'ERR_CHECKPOINT'],
    ['a size with a leading zero', edit('\n7\n', '\n07\n'), 'ERR_NUMBER'],
    ['an origin that is none', edit(origin, 'audit.example.com'), 'ERR_NAME'],
    ['a root that is not canonical', edit('hSuFU=', 'hSuFV='), 'ERR_CHECKPOINT'],
    [
      'a root without padding',
      edit(toBase64(EMPTY_ROOT), toBase64(EMPTY_ROOT).slice(0, -1)),
      'ERR_CHECKPOINT',
    ],
    ['a signature without padding', edit('=\n\n{', '\n\n{'), 'ERR_NOTE'],
    ['"old" above the size', edit('old 4', 'old 8'), 'ERR_LEAF_COUNT'],
    ['a leaf too few', edit('old 4', 'old 3'), 'ERR_LEAF_COUNT'],
    ['a leaf too many', edit('old 4', 'old 5'), 'ERR_LEAF_COUNT'],
    ['leaves where none belong', edit('old 4', 'old 7'), 'ERR_LEAF_COUNT'],
    ['an empty line behind the leaves', concatBytes(bare, utf8('\n')), 'ERR_LEAF_COUNT'],
    ['a byte behind the leaves', concatBytes(bare, utf8('x')), 'ERR_LEAF_COUNT'],
    ['a NUL behind the leaves', concatBytes(bare, Uint8Array.of(0)), 'ERR_LEAF_COUNT'],
    ['a second append behind the first', concatBytes(bare, bare), 'ERR_LEAF_COUNT'],
    ['2,001 leaves announced', edit('\n7\n', '\n2005\n'), 'ERR_TOO_MANY_LEAVES'],
    ['a leaf of 32 KiB and a byte', edit('{"a":1}', big), 'ERR_LEAF_TOO_LARGE'],
    ['a checkpoint above 64 KiB', withNote(`${'x'.repeat(65)}\n`.repeat(1000)), 'ERR_NOTE_TOO_LARGE'],
    [
      'a signature line above 64 KiB',
      withNote(`a\n\n— ${'x'.repeat(LIMITS.noteBytesMax)}\n`),
      'ERR_NOTE_TOO_LARGE',
    ],
    [
      'a request note above 64 KiB',
      utf8(`${REQUEST_NOTE.name}\n${'x\n'.repeat(LIMITS.noteBytesMax)}`),
      'ERR_NOTE_TOO_LARGE',
    ],
    [
      'another version of the request note',
      utf8(textOf(good).replace('request/v1', 'request/v2')),
      'ERR_APPEND',
    ],
    ['a request note alone', utf8(requestNote), 'ERR_APPEND'],
    ['two request notes', utf8(`${requestNote}\n${textOf(good)}`), 'ERR_APPEND'],
    ['no empty line behind the request note', utf8(textOf(good).replace('\n\nold', '\nold')), 'ERR_APPEND'],
    ['a gzip header', Uint8Array.of(0x1f, 0x8b, 8, 0, 10), 'ERR_APPEND'],
  ])('with %s is refused', (_, body, code) => {
    const whole = parseAppend(body);
    expect(codeOf(whole)).toBe(code);
    expect(parseInPieces(body, Array.from(body.keys()).slice(0, 2_000))).toEqual(whole);
  });

  it('cut short at any byte is refused', () => {
    const leavesBytes = leaves.reduce((sum, leaf) => sum + leaf.length + 1, 0);
    const bodies = [
      { body: good, headBytes: good.length - leavesBytes },
      { body: bare, headBytes: bare.length - leavesBytes },
      { body: checkIn, headBytes: checkIn.length },
    ];
    for (const { body, headBytes } of bodies) {
      for (let end = 0; end < body.length; end++) {
        // A body that ends between two leaves lacks some; one that ends anywhere else is no append at all.
        const code = end >= headBytes && body[end - 1] === LF ? 'ERR_LEAF_COUNT' : 'ERR_APPEND';
        expect({ end, code: codeOf(parseAppend(body.subarray(0, end))) }).toEqual({ end, code });
      }
    }
  });

  it('with any byte put in or taken out before its leaves is refused or has another signed text', () => {
    const signed = textOf(bare).slice(0, textOf(bare).indexOf('\n{'));
    for (let at = 0; at < signed.length; at++) {
      const without = parseAppend(concatBytes(bare.subarray(0, at), bare.subarray(at + 1)));
      if (without.ok) expect(without.value.checkpoint.source).not.toBe(checkpoint);
      const doubled = parseAppend(concatBytes(bare.subarray(0, at), utf8('\n'), bare.subarray(at)));
      if (doubled.ok) expect(doubled.value.checkpoint.source).not.toBe(checkpoint);
    }
  });

  it('names the field where "old" is above the size', () => {
    expect(faultOf(parseAppend(edit('old 4', 'old 8')))).toMatchObject({ field: 'old' });
  });

  it('stays refused, whatever comes behind its fault', () => {
    const parser = new AppendParser();
    const fault = parser.push(concatBytes(bare, utf8('x')));
    expect(codeOf(fault)).toBe('ERR_LEAF_COUNT');
    expect(parser.push(utf8('\n'))).toEqual(fault);
    expect(parser.end()).toEqual(fault);
  });
});
