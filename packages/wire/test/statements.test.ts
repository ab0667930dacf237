import { describe, expect, it } from '@jest/globals';
import {
  ENROLMENT_NOTE,
  formatVkey,
  keyNames,
  KEYS_NOTE,
  LEASE_NOTE,
  noteKey,
  openStatement,
  originOf,
  parseAuthority,
  parseDeviceId,
  parseTenantId,
  PURGE_NOTE,
  REQUEST_NOTE,
  RESTORE_NOTE,
  sha256,
  SIGNATURE_TYPE,
  signNote,
  signStatement,
  SUCCESSION_NOTE,
  toBase64,
  toHex,
  utf8,
  type Statement,
} from '../src/index.ts';
import { codeOf, deviceOf, faultOf, signerOf, valueOf } from './support.ts';

const device = await deviceOf(1);
const { origin } = device;
const authority = valueOf(parseAuthority('audit.example.com'));
const root = sha256(utf8('root'));
const TIME = Date.parse('2026-11-22T10:00:00.123Z');
const cosigner = await signerOf(5, keyNames(authority).cosigner, SIGNATURE_TYPE.cosignature);
const lease = await signerOf(6, keyNames(authority).lease);

const request = {
  origin,
  size: 4045,
  nonce: 'n0nce~',
  wallClock: TIME,
  boot: 'b3f1',
  monotonicMs: 81234.5,
  pendingCount: 24,
  oldestPending: TIME - 1000,
};
const grant = {
  origin,
  nonce: 'n',
  blockAfterSeconds: 259200,
  wipeAfterSeconds: 1209600,
  scopes: ['v_1', '*'],
};
const purge = { origin, id: 'p-1', scopes: ['*'], reason: 'Gerät verloren, sofort', issued: TIME };
const succession = { oldOrigin: origin, newOrigin: (await deviceOf(2)).origin, reason: 'fork' as const };
const enrolment = { origin, challenge: 'c.h.a', credentialHash: toHex(root) };
const restore = { origin, size: 7, root };
const keys = { authority, counter: 3, keys: [cosigner.key, lease.key] };

/** A kind with one value of it, whatever its type: what every kind must do is the same. */
function sample<T>(kind: Statement<T>, value: T) {
  return {
    name: kind.name,
    text: kind.format(value),
    readBack: () => valueOf(kind.parse(kind.format(value))),
    value,
    parse: (text: string) => kind.parse(text),
    sign: () => signStatement(kind, value, device),
    open: (source: string, of = [device.key]) => openStatement(kind, source, of),
  };
}
const samples = [
  sample(REQUEST_NOTE, request),
  sample(REQUEST_NOTE, { ...request, size: 0, monotonicMs: 0, pendingCount: 0, oldestPending: null }),
  sample(REQUEST_NOTE, { ...request, monotonicMs: 999_999_999_999.999, nonce: 'x'.repeat(64) }),
  sample(LEASE_NOTE, grant),
  sample(LEASE_NOTE, { ...grant, scopes: [] }),
  sample(PURGE_NOTE, purge),
  sample(PURGE_NOTE, { ...purge, reason: '' }),
  sample(SUCCESSION_NOTE, succession),
  sample(ENROLMENT_NOTE, enrolment),
  sample(RESTORE_NOTE, restore),
  sample(KEYS_NOTE, keys),
];

describe.each(samples)('$name', ({ name, text, readBack, value, parse, sign, open }) => {
  it('has its name on the first line and reads back', () => {
    expect(text.startsWith(`${name}\n`)).toBe(true);
    expect(text.endsWith('\n')).toBe(true);
    expect(readBack()).toEqual(value);
  });

  it('opens with the key that signed it and with no other', async () => {
    const source = await sign();
    expect(await open(source)).toEqual({ ok: true, value });
    expect(faultOf(await open(source, [])).code).toBe('ERR_SIGNATURE');
    expect(faultOf(await open(source, [(await deviceOf(3)).key])).code).toBe('ERR_SIGNATURE');
  });

  it('is refused under the name of another kind, of another version, and without its name', async () => {
    for (const bad of [
      text.replace('/v1', '/v2'),
      text.replace('tachograph', 'Tachograph'),
      ` ${text}`,
      '',
    ]) {
      expect(codeOf(parse(bad))).toBe('ERR_STATEMENT');
    }
    for (const other of samples.filter((others) => others.name !== name)) {
      expect(codeOf(parse(other.text))).toBe('ERR_STATEMENT');
      expect(codeOf(await open(await other.sign()))).toBe('ERR_STATEMENT');
    }
  });

  it('is refused with any line missing, and without its last newline', () => {
    const lines = text.split('\n').slice(0, -1);
    for (let i = 0; i < lines.length; i++) {
      const short = `${lines.toSpliced(i, 1).join('\n')}\n`;
      // A list is as long as it is: without one of two keys it is still a list.
      if (name === KEYS_NOTE.name && i >= 3) continue;
      expect(parse(short).ok).toBe(false);
    }
    expect(codeOf(parse(text.slice(0, -1)))).toBe('ERR_STATEMENT');
  });

  it('is refused with a line more', () => {
    expect(parse(`${text}\n`).ok).toBe(false);
    expect(parse(`${text}more\n`).ok).toBe(false);
  });
});

const NUMBERS = ['', '-1', '+1', '01', '1.0', '1e3', ' 1', '1 ', '9007199254740992', 'NaN', '٤'];
const TIMES = [
  '',
  '0',
  '2026-11-22',
  '2026-11-22T10:00:00Z',
  '2026-11-22T10:00:00.1Z',
  '2026-11-22T10:00:00.1234Z',
  '2026-11-22T10:00:00.123+00:00',
  '2026-11-22T10:00:00.123z',
  '2026-11-22 10:00:00.123Z',
  '2026-02-30T10:00:00.123Z',
  '2026-11-22T24:00:00.000Z',
  '2026-11-22T10:00:60.000Z',
  '+012026-11-22T10:00:00.123Z',
  '-000001-11-22T10:00:00.123Z',
];
const TOKENS = ['', 'a b', 'ü', 'a\tb', 'x'.repeat(65), '\u007f'];
const ORIGINS = [
  '',
  'audit.example.com',
  `${origin}/`,
  origin.toUpperCase(),
  ` ${origin}`,
  origin.slice(0, -1),
];
const SCOPES = ['', ',', 'a,', ',a', 'a,,b', 'a,-', 'a b', 'ü', 'x'.repeat(129)];
const ROOTS = ['', 'AAAA', toBase64(root).slice(0, -1), `${toBase64(root)}=`, toBase64(new Uint8Array(33))];

/** What each line of each kind refuses: [line, field, code, texts]. */
const refused: [Statement<unknown>, string, [number, string, string, string[]][]][] = [
  [
    REQUEST_NOTE as Statement<unknown>,
    REQUEST_NOTE.format(request),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'size', 'ERR_NUMBER', NUMBERS],
      [3, 'nonce', 'ERR_STATEMENT', TOKENS],
      [4, 'wallClock', 'ERR_STATEMENT', TIMES],
      [5, 'boot', 'ERR_STATEMENT', TOKENS],
      [
        6,
        'monotonicMs',
        'ERR_STATEMENT',
        ['', '-1', '1.', '1.0', '1.10', '.5', '1.1234', '1e3', '01', '1000000000000', 'Infinity'],
      ],
      [7, 'pendingCount', 'ERR_NUMBER', NUMBERS],
      [8, 'oldestPending', 'ERR_STATEMENT', [...TIMES, '--', 'null']],
    ],
  ],
  [
    LEASE_NOTE as Statement<unknown>,
    LEASE_NOTE.format(grant),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'nonce', 'ERR_STATEMENT', TOKENS],
      [3, 'blockAfterSeconds', 'ERR_NUMBER', NUMBERS],
      [4, 'wipeAfterSeconds', 'ERR_NUMBER', NUMBERS],
      [5, 'scopes', 'ERR_STATEMENT', SCOPES],
    ],
  ],
  [
    PURGE_NOTE as Statement<unknown>,
    PURGE_NOTE.format(purge),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'id', 'ERR_STATEMENT', TOKENS],
      [3, 'scopes', 'ERR_STATEMENT', SCOPES],
      [4, 'reason', 'ERR_STATEMENT', ['a\tb', 'a\rb', '\u0000']],
      [5, 'issued', 'ERR_STATEMENT', TIMES],
    ],
  ],
  [
    SUCCESSION_NOTE as Statement<unknown>,
    SUCCESSION_NOTE.format(succession),
    [
      [1, 'oldOrigin', 'ERR_NAME', ORIGINS],
      [2, 'newOrigin', 'ERR_NAME', ORIGINS],
      [3, 'reason', 'ERR_STATEMENT', ['', 'Fork', 'fork ', 'other', 'constructor']],
    ],
  ],
  [
    ENROLMENT_NOTE as Statement<unknown>,
    ENROLMENT_NOTE.format(enrolment),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'challenge', 'ERR_STATEMENT', ['', 'a b', 'ü', 'x'.repeat(513)]],
      [3, 'credentialHash', 'ERR_STATEMENT', ['', 'abc', 'g'.repeat(64), 'A'.repeat(64), 'a'.repeat(65)]],
    ],
  ],
  [
    RESTORE_NOTE as Statement<unknown>,
    RESTORE_NOTE.format(restore),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'size', 'ERR_NUMBER', NUMBERS],
      [3, 'root', 'ERR_STATEMENT', ROOTS],
    ],
  ],
  [
    KEYS_NOTE as Statement<unknown>,
    KEYS_NOTE.format(keys),
    [
      [1, 'authority', 'ERR_NAME', ['', 'Audit.example.com', 'https://audit.example.com', 'a b', 'a/b']],
      [2, 'counter', 'ERR_NUMBER', NUMBERS],
      [
        4,
        'keys',
        'ERR_VKEY',
        ['', 'x', ` ${formatVkey(lease.key)}`, formatVkey(lease.key).replace('lease', 'leasf')],
      ],
    ],
  ],
];

describe.each(refused.map(([kind, text, lines]) => ({ name: kind.name, kind, text, lines })))(
  'a malformed line of $name',
  ({ kind, text, lines }) => {
    it.each(lines)('%i (%s) is refused with %s and its name', (line, field, code, bad) => {
      const good = text.split('\n');
      for (const value of bad) {
        const fault = faultOf(kind.parse(good.with(line, value).join('\n')));
        expect({ value, code: fault.code, field: fault.field }).toEqual({ value, code, field });
      }
    });
  },
);

describe('signing a statement', () => {
  it('refuses what would not read back', async () => {
    const scope = (scopes: string[]) => signStatement(PURGE_NOTE, { ...purge, scopes }, device);
    await expect(scope(['-'])).rejects.toThrow(TypeError);
    await expect(scope(['a,b'])).rejects.toThrow(TypeError);
    await expect(scope(['a\nb'])).rejects.toThrow(TypeError);
    const reason = signStatement(PURGE_NOTE, { ...purge, reason: 'a\nb' }, device);
    await expect(reason).rejects.toThrow(TypeError);
    const nonce = signStatement(REQUEST_NOTE, { ...request, nonce: '' }, device);
    await expect(nonce).rejects.toThrow(TypeError);
    const empty = signStatement(KEYS_NOTE, { ...keys, keys: [] }, device);
    await expect(empty).rejects.toThrow(TypeError);
  });

  it('rounds a monotonic reading to a thousandth of a millisecond', () => {
    const text = REQUEST_NOTE.format({ ...request, monotonicMs: 0.1 + 0.2 });
    expect(text.split('\n')[6]).toBe('0.3');
  });
});

describe('opening a statement', () => {
  it('names the fault of the note, of the lines, and of the signature, in this order', async () => {
    const source = await signStatement(RESTORE_NOTE, restore, device);
    const open = (text: string) => openStatement(RESTORE_NOTE, text, [device.key]);
    expect(codeOf(await open(source.trimEnd()))).toBe('ERR_NOTE');
    expect(codeOf(await open(source.replace('\n7\n', '\n07\n')))).toBe('ERR_NUMBER');
    expect(codeOf(await open(source.replace('\n7\n', '\n8\n')))).toBe('ERR_SIGNATURE');
    expect(codeOf(await open(source))).toBe('accepted');
  });

  it('does not take a cosigner key for a key of notes', async () => {
    const { key } = cosigner;
    const plain = noteKey(key.name, SIGNATURE_TYPE.ed25519, key.publicKey);
    const source = await signNote(RESTORE_NOTE.format(restore), { key: plain, sign: cosigner.sign });
    expect(codeOf(await openStatement(RESTORE_NOTE, source, [key]))).toBe('ERR_SIGNATURE');
    expect(codeOf(await openStatement(RESTORE_NOTE, source, [plain]))).toBe('accepted');
  });
});

describe('the names of an authority’s keys', () => {
  it('are the four of the protocol', () => {
    expect(Object.values(keyNames(authority))).toEqual([
      'audit.example.com/ingest',
      'audit.example.com/lease',
      'audit.example.com/directive',
      'audit.example.com/log',
    ]);
  });

  it('are never those of a device’s log', () => {
    const id = valueOf(parseDeviceId(origin.split('/')[2]!));
    expect(originOf(authority, valueOf(parseTenantId('ingest')), id).split('/')).toHaveLength(3);
  });
});
