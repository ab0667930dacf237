import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  appendLeaves,
  consistencyProof,
  cosign,
  deviceIdOf,
  EMPTY_RANGE,
  ENROLMENT_NOTE,
  formatAppend,
  formatTlogProof,
  formatVkey,
  fromBase64,
  inclusionProof,
  KEYS_NOTE,
  leafHash,
  LEASE_NOTE,
  noteKey,
  openStatement,
  parseCheckpoint,
  parseCheckpointNote,
  parseNote,
  parseTlogProof,
  parseVkey,
  proofIncludes,
  PURGE_NOTE,
  REQUEST_NOTE,
  RESTORE_NOTE,
  rootOfLeaves,
  SIGNATURE_TYPE,
  signNote,
  signStatement,
  SUCCESSION_NOTE,
  toBase64,
  toHex,
  verifyConsistency,
  verifyInclusion,
  verifyNote,
  verifyReceipt,
  type Bytes,
  type NoteSigner,
  type Statement,
} from '../src/index.ts';
import { codeOf, deviceOf, faultOf, publicKeyOfSeed, signerOf, valueOf } from './support.ts';
import { verifyAppend } from './verify-append.ts';

const VECTORS = join(import.meta.dirname, '../../../test/vectors');

type Case = { title: string; code?: string };
type Cases<T> = { valid: (T & Case)[]; invalid: (T & Case)[] };

function load(name: string): unknown {
  return JSON.parse(readFileSync(join(VECTORS, `${name}.json`), 'utf8'));
}

function bytes(text: string): Bytes {
  const decoded = fromBase64(text);
  if (decoded === null) throw new Error(`not base64: ${text}`);
  return decoded;
}

const keysOf = (vkeys: readonly string[]) => vkeys.map((vkey) => valueOf(parseVkey(vkey)));

/** The private keys behind the vectors are seeds of 32 equal bytes, from 1 on. */
const signers = await Promise.all(
  Array.from({ length: 16 }, (_, i) => signerOf(i + 1, '').then(({ key, sign }) => ({ key, sign }))),
);
function signerFor(vkey: string): NoteSigner {
  const key = valueOf(parseVkey(vkey));
  const pair = signers.find((signer) => toHex(signer.key.publicKey) === toHex(key.publicKey));
  if (pair === undefined) throw new Error(`nobody holds ${vkey}`);
  return { key, sign: pair.sign };
}

describe('keys.json', () => {
  type KeyVector = {
    name: string;
    seed: string;
    publicKey: string;
    device: string;
    vkey: string;
    cosignerVkey: string;
  };
  const { valid, invalid } = load('keys') as Cases<KeyVector>;

  it.each(valid)('$vkey is what its seed and its name make', async (vector) => {
    const publicKey = await publicKeyOfSeed(Uint8Array.from(Buffer.from(vector.seed, 'hex')));
    expect(toHex(publicKey)).toBe(vector.publicKey);
    expect(deviceIdOf(publicKey)).toBe(vector.device);
    for (const [type, vkey] of [
      [SIGNATURE_TYPE.ed25519, vector.vkey],
      [SIGNATURE_TYPE.cosignature, vector.cosignerVkey],
    ] as const) {
      expect(formatVkey(noteKey(vector.name, type, publicKey))).toBe(vkey);
      expect(valueOf(parseVkey(vkey))).toEqual(noteKey(vector.name, type, publicKey));
    }
  });

  it.each(invalid)('refuses: $title', ({ vkey, code }) => {
    expect(codeOf(parseVkey(vkey))).toBe(code);
  });
});

describe('notes.json', () => {
  const { valid, invalid } = load('notes') as Cases<{ note: string; vkeys: string[]; text?: string }>;

  it.each(valid)('verifies: $title', async ({ note, vkeys, text }) => {
    const parsed = valueOf(parseNote(note));
    expect(parsed.text).toBe(text);
    expect(await verifyNote(parsed, keysOf(vkeys))).toBe(true);
  });

  it('signs the same bytes', async () => {
    const { note, vkeys, text } = valid.find(({ title }) => title === 'two known keys')!;
    expect(await signNote(text!, ...vkeys.map(signerFor))).toBe(note);
  });

  it.each(invalid)('refuses: $title', async ({ note, vkeys, code }) => {
    const parsed = parseNote(note);
    const found =
      parsed.ok && !(await verifyNote(parsed.value, keysOf(vkeys))) ? 'ERR_SIGNATURE' : codeOf(parsed);
    expect(found).toBe(code);
  });
});

describe('checkpoints.json', () => {
  type CheckpointVector = { note: string; vkey: string; origin: string; size: number; root: string };
  const { valid, invalid } = load('checkpoints') as Cases<CheckpointVector>;

  it.each(valid)('verifies: $title', async ({ note, vkey, origin, size, root }) => {
    const parsed = valueOf(parseCheckpointNote(note));
    expect(parsed).toMatchObject({ origin, size, root: bytes(root) });
    expect(await verifyNote(parsed.note, keysOf([vkey]))).toBe(true);
    expect(await signNote(parsed.note.text, signerFor(vkey))).toBe(note);
  });

  it.each(invalid)('refuses: $title', async ({ note, vkey, code }) => {
    const parsed = parseCheckpointNote(note);
    const forged = parsed.ok && !(await verifyNote(parsed.value.note, keysOf([vkey])));
    expect(forged ? 'ERR_SIGNATURE' : codeOf(parsed)).toBe(code);
  });
});

describe('cosignatures.json', () => {
  type CosignatureVector = { checkpoint: string; receipt: string; vkeys: string[]; timestamp: number };
  const { valid, invalid } = load('cosignatures') as Cases<CosignatureVector>;

  it.each(valid)('verifies: $title', async ({ checkpoint, receipt, vkeys, timestamp }) => {
    const parsed = valueOf(parseCheckpoint(checkpoint));
    const cosigned = await verifyReceipt(parsed, receipt, keysOf(vkeys));
    expect(cosigned?.timestamp).toBe(timestamp);
    const line = await cosign(parsed, timestamp, signerFor(formatVkey(cosigned!.key)));
    expect(receipt).toContain(line);
  });

  it.each(invalid)('refuses: $title', async ({ checkpoint, receipt, vkeys }) => {
    expect(await verifyReceipt(valueOf(parseCheckpoint(checkpoint)), receipt, keysOf(vkeys))).toBeNull();
  });
});

describe('trees.json', () => {
  type Inclusion = { index: number; size: number; proof: string[] };
  type Consistency = { from: number; size: number; proof: string[] };
  const trees = load('trees') as {
    leaves: string[];
    roots: string[];
    inclusion: Inclusion[];
    consistency: Consistency[];
    invalidInclusion: Inclusion[];
    invalidConsistency: Consistency[];
  };
  const leaves = trees.leaves.map((leaf) => leafHash(bytes(leaf)));
  const roots = trees.roots.map(bytes);

  it('has the roots that the compact range has', () => {
    roots.forEach((root, size) => expect(toHex(rootOfLeaves(leaves.slice(0, size)))).toBe(toHex(root)));
  });

  it('has the inclusion proofs that are made here, and they verify', () => {
    for (const { index, size, proof } of trees.inclusion) {
      expect(inclusionProof(leaves.slice(0, size), index).map(toBase64)).toEqual(proof);
      expect(verifyInclusion(leaves[index]!, index, size, roots[size]!, proof.map(bytes))).toBe(true);
    }
  });

  it('has the consistency proofs that are made here, and they verify', () => {
    for (const { from, size, proof } of trees.consistency) {
      expect(consistencyProof(leaves.slice(0, size), from).map(toBase64)).toEqual(proof);
      expect(verifyConsistency(from, roots[from]!, size, roots[size]!, proof.map(bytes))).toBe(true);
    }
  });

  it('has broken proofs, which are refused', () => {
    for (const { index, size, proof } of trees.invalidInclusion) {
      expect(verifyInclusion(leaves[index]!, index, size, roots[size]!, proof.map(bytes))).toBe(false);
    }
    for (const { from, size, proof } of trees.invalidConsistency) {
      expect(verifyConsistency(from, roots[from]!, size, roots[size]!, proof.map(bytes))).toBe(false);
    }
  });
});

describe('tlog-proofs.json', () => {
  const { valid, invalid } = load('tlog-proofs') as Cases<{ proof: string; leaf: string; vkey: string }>;

  it.each(valid)('verifies: $title', async ({ proof, leaf, vkey }) => {
    const parsed = valueOf(parseTlogProof(proof));
    expect(await verifyNote(parsed.checkpoint.note, keysOf([vkey]))).toBe(true);
    expect(proofIncludes(parsed, leafHash(bytes(leaf)))).toBe(true);
    expect(formatTlogProof(parsed)).toBe(proof);
  });

  it.each(invalid)('refuses: $title', async ({ proof, leaf, vkey, code }) => {
    const parsed = parseTlogProof(proof);
    if (!parsed.ok) return expect(parsed.fault.code).toBe(code);
    const signed = await verifyNote(parsed.value.checkpoint.note, keysOf([vkey]));
    const included = proofIncludes(parsed.value, leafHash(bytes(leaf)));
    expect([signed, included, code]).toContain(false);
    expect(signed ? 'ERR_PROOF' : 'ERR_SIGNATURE').toBe(code);
  });
});

describe('statements.json', () => {
  type Json = Record<string, unknown>;
  type StatementVector = { kind: string; note: string; vkey: string; value?: Json; field?: string };
  const { valid, invalid } = load('statements') as Cases<StatementVector>;

  /** A kind, whatever its values, with its values as the vectors write them: bytes in base64, keys as vkeys. */
  function kindOf<T>(kind: Statement<T>, toJson: (value: T) => unknown = (value) => value) {
    return {
      open: async (note: string, vkey: string) => {
        const opened = await openStatement(kind, note, keysOf([vkey]));
        return opened.ok ? { ok: true as const, value: toJson(opened.value) } : opened;
      },
      signAgain: async (note: string, vkey: string) =>
        signStatement(kind, valueOf(await openStatement(kind, note, keysOf([vkey]))), signerFor(vkey)),
    };
  }
  const kinds: Record<string, ReturnType<typeof kindOf>> = {
    request: kindOf(REQUEST_NOTE),
    lease: kindOf(LEASE_NOTE),
    purge: kindOf(PURGE_NOTE),
    succession: kindOf(SUCCESSION_NOTE),
    enrolment: kindOf(ENROLMENT_NOTE),
    restore: kindOf(RESTORE_NOTE, (value) => ({ ...value, root: toBase64(value.root) })),
    keys: kindOf(KEYS_NOTE, (value) => ({ ...value, keys: value.keys.map(formatVkey) })),
  };

  it.each(valid)('opens: $kind, $title', async ({ kind, note, vkey, value }) => {
    expect(valueOf(await kinds[kind]!.open(note, vkey))).toEqual(value);
    expect(await kinds[kind]!.signAgain(note, vkey)).toBe(note);
  });

  it('has every kind', () => {
    expect(new Set(valid.map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)));
    expect(new Set(invalid.map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)));
  });

  it.each(invalid)('refuses: $kind, $title', async ({ kind, note, vkey, code, field }) => {
    const fault = faultOf(await kinds[kind]!.open(note, vkey));
    expect({ code: fault.code, field: fault.field }).toEqual({ code, field });
  });
});

describe('appends.json', () => {
  type AppendVector = {
    body: string;
    vkey: string;
    before?: string[];
    requestNote?: string;
    old: number;
    leaves?: string[];
  };
  const { valid, invalid } = load('appends') as Cases<AppendVector>;
  const verify = ({ body, vkey, before = [] }: AppendVector) => {
    const edge = appendLeaves(
      EMPTY_RANGE,
      before.map((leaf) => leafHash(bytes(leaf))),
    );
    return verifyAppend(bytes(body), edge, valueOf(parseVkey(vkey)));
  };

  it.each(valid)('verifies: $title', async (vector) => {
    const append = valueOf(await verify(vector));
    const { requestNote = null, old, leaves = [] } = vector;
    expect(append).toMatchObject({ requestNote, old });
    expect(append.leaves.map(toBase64)).toEqual(leaves);
    const again = formatAppend({ ...append, checkpoint: append.checkpoint.source });
    expect(toBase64(again)).toBe(vector.body);
  });

  it('is about the device that the tests know too', async () => {
    expect(formatVkey((await deviceOf(1)).key)).toBe(valid[0]!.vkey);
  });

  it.each(invalid)('refuses: $title', async (vector) => {
    expect(codeOf(await verify(vector))).toBe(vector.code);
  });
});
