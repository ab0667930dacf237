import { describe, expect, it } from '@jest/globals';
import {
  ENROLMENT_NOTE,
  keyNames,
  KEYS_NOTE,
  LEASE_NOTE,
  noteKey,
  openStatement,
  originOf,
  parseDeviceId,
  parseTenantId,
  PURGE_NOTE,
  REQUEST_NOTE,
  RESTORE_NOTE,
  SIGNATURE_TYPE,
  signNote,
  signStatement,
  SUCCESSION_NOTE,
  type Statement,
} from '../src/index.ts';
import {
  authority,
  cosigner,
  device,
  enrolment,
  grant,
  keys,
  origin,
  purge,
  request,
  restore,
  succession,
} from './statement-samples.ts';
import { codeOf, deviceOf, faultOf, valueOf } from './support.ts';

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
