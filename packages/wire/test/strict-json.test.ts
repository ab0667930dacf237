import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseStrictJson, utf8 } from '../src/index.ts';
import { codeOf, faultOf, valueOf } from './support.ts';

const DEPTH = 8;
const parse = (text: string) => parseStrictJson(utf8(text), DEPTH);
const nested = (levels: number, open = '[', close = ']') => open.repeat(levels) + close.repeat(levels);

describe('strict JSON', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const value: unknown = JSON.parse(text);
        const parsed = parse(text);
        // The generator may name a member __proto__ or spell a lone surrogate; those have their own tests.
        if (parsed.ok) expect(parsed.value).toEqual(value);
        else expect(['ERR_LEAF_PROTO', 'ERR_LEAF_SURROGATE']).toContain(parsed.fault.code);
      }),
    );
  });

  it('refuses any JSON in which one member is written twice, wherever it stands', () => {
    const value = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(
        value,
        fc.constantFrom('a', 'ü', 'k e y'),
        fc.jsonValue({ maxDepth: 1 }),
        (rest, name, member) => {
          const twice = `{${JSON.stringify(name)}:${JSON.stringify(member)},${JSON.stringify(name)}:{"x":1,"y":[2]}}`;
          const text = JSON.stringify({ rest, last: 0 }).replace(/0}$/, `[${twice}]}`);
          const parsed = parseStrictJson(utf8(text), 8);
          expect(parsed.ok).toBe(false);
        },
      ),
    );
  });

  it('never throws, whatever the bytes', () => {
    const jsonish = fc.string({
      unit: fc.constantFrom(...'{}[]",:\\u0061d8 tn1.-_p'.split('')),
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), jsonish.map(utf8)), (bytes) => {
        const parsed = parseStrictJson(bytes, DEPTH);
        if (parsed.ok) expect(() => JSON.parse(Buffer.from(bytes).toString()) as unknown).not.toThrow();
        else expect(parsed.fault.code).toMatch(/^ERR_LEAF_/);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([['nothing', '']])('refuses %s', (_, text) => {
    expect(codeOf(parse(text))).toBe('ERR_LEAF_EMPTY');
  });

  it.each([
    ['the same name', '{"a":1,"a":1}'],
    ['the name spelt with an escape', '{"a":1,"\\u0061":2}'],
    ['both names spelt with escapes', '{"\\u0061":1,"\\u0061":2}'],
    ['a name with an escaped slash', '{"a/b":1,"a\\/b":2}'],
    ['the empty name', '{"":1,"":2}'],
    ['a name of the prototype', '{"constructor":1,"constructor":2}'],
    ['a name deep inside', '{"a":[{"b":{"c":1,"d":[],"c":2}}]}'],
    ['a name behind a nested object', '{"a":{"b":1},"a":2}'],
    ['a name behind an array with strings', '{"a":["x","y"],"b":1,"a":2}'],
  ])('refuses %s twice', (_, text) => {
    expect(codeOf(parse(text))).toBe('ERR_LEAF_DUPLICATE_KEY');
  });

  it.each([
    ['in two objects', '{"a":{"a":1},"b":{"a":1}}'],
    ['as a value', '{"a":"a","b":"a"}'],
    ['in an array', '["a","a"]'],
    ['in another case', '{"a":1,"A":2}'],
    ['in another normal form', '{"\u00e9":1,"e\u0301":2}'],
    ['inside a string', '{"a":"{\\"b\\":1,\\"b\\":2}"}'],
  ])('allows the same text %s', (_, text) => {
    expect(valueOf(parse(text))).toEqual(JSON.parse(text));
  });

  it.each([
    ['__proto__', '{"__proto__":1}'],
    ['__proto__ with an escape', '{"\\u005f_proto__":1}'],
    ['__proto__ deep inside', '{"a":[{"__proto__":{"x":1}}]}'],
  ])('refuses a member named %s', (_, text) => {
    expect(codeOf(parse(text))).toBe('ERR_LEAF_PROTO');
  });

  it('allows __proto__ as a value', () => {
    expect(codeOf(parse('{"a":"__proto__"}'))).toBe('accepted');
    expect(codeOf(parse('["a","__proto__"]'))).toBe('accepted');
  });

  it.each([
    ['a high one', '"\\ud83d"'],
    ['a low one', '"\\uDE00"'],
    ['a pair the wrong way round', '"\\ude00\\ud83d"'],
    ['one in a name', '{"\\ud83d":1}'],
    ['one deep inside', '{"a":[["x\\ud83dx"]]}'],
  ])('refuses a lone surrogate: %s', (_, text) => {
    expect(codeOf(parse(text))).toBe('ERR_LEAF_SURROGATE');
  });

  it('allows a pair of surrogates, and a backslash before what looks like one', () => {
    expect(valueOf(parse('"\\ud83d\\ude00"'))).toBe('😀');
    expect(valueOf(parse('"\\\\ud83d"'))).toBe('\\ud83d');
  });

  it('allows NUL, bidirectional controls and the byte order mark in strings', () => {
    expect(valueOf(parse('"a\\u0000b"'))).toBe('a\u0000b');
    expect(valueOf(parse('"\u202eabc\u2066\ufeff"'))).toBe('\u202eabc\u2066\ufeff');
  });

  it('allows as many levels inside the outermost value as it is told, and no more', () => {
    expect(codeOf(parse(nested(DEPTH + 1)))).toBe('accepted');
    expect(faultOf(parse(nested(DEPTH + 2)))).toMatchObject({ code: 'ERR_LEAF_DEPTH', limit: DEPTH });
    expect(codeOf(parse(nested(DEPTH + 2, '{"a":', '}')))).toBe('ERR_LEAF_DEPTH');
    expect(codeOf(parse(`"${nested(100)}"`))).toBe('accepted');
    expect(codeOf(parse(`[${'[],'.repeat(100)}[]]`))).toBe('accepted');
  });

  it('refuses 10,000 levels without recursion, closed or not', () => {
    expect(codeOf(parse(nested(10_000)))).toBe('ERR_LEAF_DEPTH');
    expect(codeOf(parse('['.repeat(10_000)))).toBe('ERR_LEAF_DEPTH');
    expect(codeOf(parse('{"a":'.repeat(10_000)))).toBe('ERR_LEAF_DEPTH');
  });

  it.each([
    ['a word', 'hello'],
    ['a comma at the end', '{"a":1,}'],
    ['two values', '{} {}'],
    ['a comment', '{} // x'],
    ['single quotes', "{'a':1}"],
    ['NaN', '{"a":NaN}'],
    ['a raw control character', '"a\u0001b"'],
    ['a raw NUL', '"a\u0000b"'],
    ['a byte order mark', '\ufeff{}'],
    ['an unknown escape', '"\\x"'],
    ['an unknown escape in a name', '{"\\x":1}'],
    ['an open string', '{"a'],
    ['an open string that starts like a member', '{"a":1,"a'],
    ['an open string after a backslash', '{"a\\'],
    ['closing brackets alone', ']]}}'],
    ['brackets that do not match', '{"a":[1}'],
  ])('refuses %s', (_, text) => {
    expect(codeOf(parse(text))).toBe('ERR_LEAF_JSON');
  });

  it.each([
    ['a byte that never occurs', [0x22, 0xff, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xa2, 0x22]],
    ['a raw surrogate', [0x22, 0xed, 0xa0, 0xbd, 0x22]],
    ['a sequence cut short', [0x22, 0xe2, 0x82]],
  ])('refuses %s', (_, bytes) => {
    expect(codeOf(parseStrictJson(Uint8Array.from(bytes), DEPTH))).toBe('ERR_LEAF_UTF8');
  });
});
