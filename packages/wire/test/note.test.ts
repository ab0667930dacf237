import { describe, expect, it } from '@jest/globals';
import {
  formatNote,
  formatSignatureLine,
  formatVkey,
  LIMITS,
  noteKey,
  parseNote,
  parseSignatureLines,
  parseVkey,
  SIGNATURE_TYPE,
  signaturesBy,
  signNote,
  verifyNote,
  type Note,
} from '../src/index.ts';
import { codeOf, faultOf, signerOf, valueOf } from './support.ts';

// The example of C2SP signed-note v1.0.0.
const VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const NOTE =
  'This is an example message.\n\n' +
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const LINE = '— a.example/k AAAAAAA=\n';

describe('a signed note', () => {
  it('verifies the example of the specification', async () => {
    expect(await verifyNote(valueOf(parseNote(NOTE)), [valueOf(parseVkey(VKEY))])).toBe(true);
  });

  it('is written as it was read', () => {
    expect(formatNote(valueOf(parseNote(NOTE)))).toBe(NOTE);
    const text = 'first\n\nthird, after an empty line: ü\u0085\u007f\n';
    const note = valueOf(parseNote(`${text}\n${LINE}${LINE}`));
    expect(note.text).toBe(text);
    expect(note.signatures).toHaveLength(2);
  });

  it('splits at the last empty line', () => {
    const note = valueOf(parseNote(`a\n\n${LINE}\n${LINE}`));
    expect(note.text).toBe(`a\n\n${LINE}`);
    expect(note.signatures).toHaveLength(1);
  });

  it('may carry 16 signatures and no more', () => {
    expect(valueOf(parseNote(`a\n\n${LINE.repeat(16)}`)).signatures).toHaveLength(16);
    const fault = faultOf(parseNote(`a\n\n${LINE.repeat(17)}`));
    expect(fault).toMatchObject({ code: 'ERR_NOTE', limit: LIMITS.noteSignaturesMax });
  });

  it('is refused above 64 KiB of UTF-8, and accepted at it', () => {
    const rest = `\n\n${LINE}`;
    const filled = 'a'.repeat(LIMITS.noteBytesMax - Buffer.byteLength(rest)) + rest;
    expect(codeOf(parseNote(filled))).toBe('accepted');
    expect(faultOf(parseNote(`a${filled}`))).toMatchObject({
      code: 'ERR_NOTE_TOO_LARGE',
      limit: LIMITS.noteBytesMax,
    });
    expect(codeOf(parseNote(filled.replace('a', 'ü')))).toBe('ERR_NOTE_TOO_LARGE');
  });

  it('holds no control character but the newline', () => {
    for (let code = 0; code < 0x20; code++) {
      if (code === 10) continue;
      const control = String.fromCharCode(code);
      expect(codeOf(parseNote(`a${control}\n\n${LINE}`))).toBe('ERR_NOTE');
      expect(codeOf(parseNote(`a\n\n${LINE.replace('/', control)}`))).toBe('ERR_NOTE');
      expect(codeOf(parseNote(`a\n\n${LINE.trimEnd()}${control}\n`))).toBe('ERR_NOTE');
    }
  });

  it.each([
    ['nothing', ''],
    ['text alone', 'a\n'],
    ['a signature without text', LINE],
    ['no empty line', `a\n${LINE}`],
    ['no signature', 'a\n\n'],
    ['no final newline', `a\n\n${LINE.trimEnd()}`],
    ['an empty line after the signatures', `a\n\n${LINE}\n`],
    ['a lone surrogate', `\ud800\n\n${LINE}`],
    ['a hyphen for the dash', `a\n\n${LINE.replace('—', '-')}`],
    ['an en dash for the dash', `a\n\n${LINE.replace('—', '–')}`],
    ['two spaces after the dash', `a\n\n${LINE.replace('— ', '—  ')}`],
    ['a space at the end of a line', `a\n\n${LINE.trimEnd()} \n`],
    ['a third word', `a\n\n${LINE.trimEnd()} x\n`],
    ['a name alone', 'a\n\n— a.example/k\n'],
    ['an empty name', 'a\n\n—  AAAAAAA=\n'],
    ['a plus in the name', 'a\n\n— a+b AAAAAAA=\n'],
    ['a no-break space in the name', 'a\n\n— a\u00a0b AAAAAAA=\n'],
    ['a next-line character in the name', 'a\n\n— a\u0085b AAAAAAA=\n'],
    ['a line separator in the name', 'a\n\n— a\u2028b AAAAAAA=\n'],
    ['an ideographic space in the name', 'a\n\n— a\u3000b AAAAAAA=\n'],
    ['a signature without padding', 'a\n\n— a.example/k AAAAAAA\n'],
    ['a signature with trailing bits', 'a\n\n— a.example/k AAAAAAB=\n'],
    ['a key id without a signature', 'a\n\n— a.example/k AAAAAA==\n'],
    ['a signature in base64url', 'a\n\n— a.example/k AAAA__8=\n'],
    ['one bad line among good ones', `a\n\n${LINE}— a.example/k !\n${LINE}`],
  ])('is refused with %s', (_, source) => {
    expect(codeOf(parseNote(source))).toBe('ERR_NOTE');
  });

  it('allows any other character in a key name', () => {
    for (const name of ['ü', '\ufeff', '\u200b', '😀', '"', 'a=b']) {
      expect(valueOf(parseNote(`a\n\n— ${name} AAAAAAA=\n`)).signatures[0]!.name).toBe(name);
    }
  });
});

describe('verification of a note', () => {
  it('needs one good signature by a known key, and ignores unknown keys', async () => {
    const [known, unknown] = [await signerOf(1, 'k.example/1'), await signerOf(2, 'k.example/2')];
    const note = valueOf(parseNote(await signNote('text\n', unknown, known)));
    expect(await verifyNote(note, [known.key])).toBe(true);
    expect(await verifyNote(note, [])).toBe(false);
    expect(await verifyNote(note, [(await signerOf(3, 'k.example/3')).key])).toBe(false);
    expect(await verifyNote({ ...note, text: 'Text\n' }, [known.key])).toBe(false);
  });

  it('ignores a broken signature of an unknown key, also where it shares a name or an id with a known one', async () => {
    const known = await signerOf(1, 'k.example/1');
    const note = valueOf(parseNote(await signNote('text\n', known)));
    const bad = new Uint8Array(64);
    const sharing = [
      { name: known.key.name, keyId: Uint8Array.of(1, 2, 3, 4), signature: bad },
      { name: 'other.example', keyId: known.key.keyId, signature: bad },
    ];
    const joined: Note = { text: note.text, signatures: [...sharing, ...note.signatures] };
    expect(await verifyNote(joined, [known.key])).toBe(true);
    expect(await verifyNote({ text: note.text, signatures: sharing }, [known.key])).toBe(false);
    expect(signaturesBy(known.key, joined.signatures)).toEqual(note.signatures);
  });

  it('refuses the whole note for one bad signature of a known key, whatever the order', async () => {
    const [one, two] = [await signerOf(1, 'k.example/1'), await signerOf(2, 'k.example/2')];
    const note = valueOf(parseNote(await signNote('text\n', one)));
    const good = note.signatures[0]!;
    for (const signature of [new Uint8Array(64), good.signature.slice(1), good.signature.slice(0, 1)]) {
      const spoiled = { name: two.key.name, keyId: two.key.keyId, signature };
      for (const signatures of [
        [good, spoiled],
        [spoiled, good],
      ]) {
        const spoiledNote = { text: note.text, signatures };
        expect(await verifyNote(spoiledNote, [one.key, two.key])).toBe(false);
        expect(await verifyNote(spoiledNote, [two.key, one.key])).toBe(false);
        expect(await verifyNote(spoiledNote, [one.key])).toBe(true);
      }
    }
    const twice = { text: note.text, signatures: [good, { ...good, signature: new Uint8Array(64) }] };
    expect(await verifyNote(twice, [one.key])).toBe(false);
  });

  it('does not take a cosigner key for a key of notes', async () => {
    const plain = await signerOf(1, 'k.example/1');
    const cosigner = noteKey(plain.key.name, SIGNATURE_TYPE.cosignature, plain.key.publicKey);
    const note = valueOf(parseNote(await signNote('text\n', { key: cosigner, sign: plain.sign })));
    expect(await verifyNote(note, [cosigner])).toBe(false);
    expect(await verifyNote(note, [plain.key])).toBe(false);
  });
});

describe('signature lines that stand alone', () => {
  it('are read as they were written', () => {
    const lines = valueOf(parseSignatureLines(LINE + LINE));
    expect(lines.map(formatSignatureLine).join('')).toBe(LINE + LINE);
  });

  it.each([
    ['nothing', ''],
    ['no newline', LINE.trimEnd()],
    ['an empty line', `${LINE}\n`],
    ['a control character', LINE.replace('/', '\t')],
    ['a lone surrogate', LINE.replace('/', '\udc00')],
    ['17 lines', LINE.repeat(17)],
  ])('are refused with %s', (_, source) => {
    expect(codeOf(parseSignatureLines(source))).toBe('ERR_NOTE');
  });

  it('are refused above 64 KiB', () => {
    const name = 'a'.repeat(LIMITS.noteBytesMax);
    expect(codeOf(parseSignatureLines(`— ${name} AAAAAAA=\n`))).toBe('ERR_NOTE_TOO_LARGE');
  });
});

describe('a verifier key', () => {
  it('is written as it was read', () => {
    expect(formatVkey(valueOf(parseVkey(VKEY)))).toBe(VKEY);
  });

  it('has another id for another signature type', async () => {
    const { key } = await signerOf(1, 'k.example/1');
    const cosigner = noteKey(key.name, SIGNATURE_TYPE.cosignature, key.publicKey);
    expect(cosigner.keyId).not.toEqual(key.keyId);
    expect(valueOf(parseVkey(formatVkey(cosigner)))).toEqual(cosigner);
  });

  it.each([
    ['nothing', ''],
    ['two parts', VKEY.slice(0, VKEY.lastIndexOf('+'))],
    ['another name', VKEY.replace('foo', 'fop')],
    ['another id', VKEY.replace('+530d', '+530e')],
    ['an id in capitals', VKEY.replace('530d903a', '530D903A')],
    ['an id of seven digits', VKEY.replace('530d903a', '30d903a')],
    ['another key', VKEY.replace('AekyeR', 'AekyeS')],
    ['an unknown type', VKEY.replace('+AekyeR', '+Aukyer')],
    ['no padding where it belongs', 'example.com/foo+530d903a+Ae=='],
    ['a short key', 'example.com/foo+530d903a+Aeky'],
    ['an empty name', VKEY.replace('example.com/foo', '')],
    ['a space in the name', VKEY.replace('/', ' ')],
    ['a control character in the name', VKEY.replace('/', '\u0001')],
    ['a newline at the end', `${VKEY}\n`],
  ])('is refused with %s', (_, text) => {
    expect(codeOf(parseVkey(text))).toBe('ERR_VKEY');
  });
});
