import { describe, expect, it } from '@jest/globals';
import { formatTable } from '../src/table.ts';

describe('a table', () => {
  it('aligns its columns and shows unknown values', () => {
    expect(
      formatTable(
        ['name', 'size'],
        [
          ['a', 12],
          ['longer', null],
        ],
      ),
    ).toBe('NAME    SIZE\na       12\nlonger  -\n');
  });

  it('shows control, escape and bidirectional characters instead of acting on them', () => {
    const text = formatTable(['name'], [['a\u001B[31mb\r\nc\u202Ed']]);
    expect(text).toBe('NAME\na\\u{1b}[31mb\\u{d}\\u{a}c\\u{202e}d\n');
  });
});
