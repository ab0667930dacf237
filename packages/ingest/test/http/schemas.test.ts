import { describe, expect, it } from '@jest/globals';
import { line } from '../../src/http/schemas.ts';

describe('a line of text', () => {
  it.each(['Ana’s laptop', 'ноутбук Анны', 'أنا', '👩🏽‍💻 of Zoë', 'a'])('may be %s', (text) => {
    expect(line(64).safeParse(text).success).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['two lines', 'a\nb'],
    ['a line feed of another name', 'a\u2028b'],
    ['an escape sequence', '\u001b[2Jgone'],
    ['an escape sequence of one C1 character', '\u009b2Jgone'],
    ['a name that reads backwards', 'invoice\u202Efdp.exe'],
    ['half of a character', '\ud83d'],
    ['more than its limit', 'x'.repeat(65)],
  ])('is not %s', (_what, text) => {
    expect(line(64).safeParse(text).success).toBe(false);
  });
});
