import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  appendLeaves,
  consistencyProof,
  cosign,
  EMPTY_RANGE,
  formatAppend,
  formatCheckpoint,
  formatTlogProof,
  formatVkey,
  generateEd25519,
  inclusionProof,
  KEYS_NOTE,
  leafHash,
  LEASE_NOTE,
  noteKey,
  parseAuthority,
  parseCheckpointNote,
  PURGE_NOTE,
  REQUEST_NOTE,
  RESTORE_NOTE,
  rootOf,
  rootOfLeaves,
  ed25519Signer,
  ENROLMENT_NOTE,
  SIGNATURE_TYPE,
  signNote,
  signStatement,
  SUCCESSION_NOTE,
  toBase64,
  utf8,
  deviceIdOf,
  originOf,
  parseTenantId,
  toHex,
  type NoteSigner,
  type Statement,
} from '@tachograph/wire';
import { valueOf } from '../../packages/wire/test/support.ts';
import { runGo } from '../support/run-go.ts';

const VECTORS = join(import.meta.dirname, '../vectors');
const GO_TIMEOUT_MS = 120_000;

function runProgram(...args: string[]): Promise<string> {
  return runGo(join(VECTORS, 'go'), args);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tachograph-vectors-'));
});
afterAll(() => rm(folder, { recursive: true }));

const authority = valueOf(parseAuthority('audit.example.com'));
const flip = (text: string) => text.replace(/(.)=\n$/, (_, last: string) => `${last === 'A' ? 'E' : 'A'}=\n`);

async function randomDevice() {
  const { privateKey, publicKey } = await generateEd25519(false);
  const origin = originOf(authority, valueOf(parseTenantId('acme')), deviceIdOf(publicKey));
  const key = noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey);
  return { key, sign: ed25519Signer(privateKey), origin };
}

async function randomSigner(
  name: string,
  type: (typeof SIGNATURE_TYPE)[keyof typeof SIGNATURE_TYPE],
): Promise<NoteSigner> {
  const { privateKey, publicKey } = await generateEd25519(false);
  return { key: noteKey(name, type, publicKey), sign: ed25519Signer(privateKey) };
}

/** Everything that wire can make, under keys made now, with what Go should find. */
async function makeClaims() {
  const device = await randomDevice();
  const successor = await randomDevice();
  const lease = await randomSigner('audit.example.com/lease', SIGNATURE_TYPE.ed25519);
  const ingest = await randomSigner('audit.example.com/ingest', SIGNATURE_TYPE.cosignature);
  const next = await randomSigner('audit.example.com/ingest', SIGNATURE_TYPE.cosignature);
  const { origin } = device;
  const [vkey, cosigner] = [formatVkey(device.key), formatVkey(ingest.key)];

  const leaves = Array.from({ length: 40 }, (_, i) => utf8(`{"n":${i},"text":"ü"}`));
  const hashes = leaves.map(leafHash);
  const root = (size: number) => rootOfLeaves(hashes.slice(0, size));
  const checkpointAt = (size: number) =>
    signNote(formatCheckpoint({ origin, size, root: root(size) }), device);

  const now = Math.floor(Date.now() / 1000);
  const signed = await checkpointAt(40);
  const checkpoint = valueOf(parseCheckpointNote(signed));
  const line = await cosign(checkpoint, now, ingest);
  const both = signed + line + (await cosign(checkpoint, now + 1, next));
  const notes = [
    { note: signed, vkeys: [vkey], good: true },
    { note: signed, vkeys: [formatVkey(successor.key)], good: false },
    { note: flip(signed), vkeys: [vkey], good: false },
    { note: signed + line, vkeys: [vkey, cosigner], good: true },
    { note: signed + line, vkeys: [cosigner], good: true },
    { note: signed + flip(line), vkeys: [vkey, cosigner], good: false },
    { note: both, vkeys: [formatVkey(next.key)], good: true },
    { note: signed.replace('\n40\n', '\n41\n') + line, vkeys: [cosigner], good: false },
  ];

  const claim = async <T extends object>(name: string, kind: Statement<T>, value: T, signer: NoteSigner) => ({
    kind: name,
    note: await signStatement(kind, value, signer),
    vkey: formatVkey(signer.key),
    value: Object.fromEntries(
      Object.entries(value).map(([field, member]: [string, unknown]) => [
        field,
        member instanceof Uint8Array ? toBase64(member) : member,
      ]),
    ),
  });
  const request = {
    origin,
    size: 40,
    nonce: crypto.randomUUID(),
    wallClock: Date.now(),
    boot: crypto.randomUUID(),
    monotonicMs: Math.round(performance.now() * 1000) / 1000,
    pendingCount: 3,
    oldestPending: Date.now() - 5000,
  };
  const keys = { authority, counter: 7, keys: [ingest.key, next.key, lease.key] };
  const grant = { origin, nonce: request.nonce, blockAfterSeconds: 1, wipeAfterSeconds: 2 };
  const order = { origin, id: 'p-1', reason: 'offboarding, ü', issued: Date.now() };
  const succession = { oldOrigin: origin, newOrigin: successor.origin, reason: 'corrupt' as const };
  const statements = [
    await claim('request', REQUEST_NOTE, request, device),
    await claim('request', REQUEST_NOTE, { ...request, monotonicMs: 0, oldestPending: null }, device),
    await claim('lease', LEASE_NOTE, { ...grant, scopes: [] }, lease),
    await claim('lease', LEASE_NOTE, { ...grant, scopes: ['a', 'b'] }, lease),
    await claim('purge', PURGE_NOTE, { ...order, scopes: ['*'] }, lease),
    await claim('succession', SUCCESSION_NOTE, succession, device),
    await claim(
      'enrolment',
      ENROLMENT_NOTE,
      { origin, challenge: 'c', credentialHash: toHex(root(1)) },
      device,
    ),
    await claim('restore', RESTORE_NOTE, { origin, size: 40, root: root(40) }, device),
  ];
  const keysClaim = await claim('keys', KEYS_NOTE, keys, lease);
  const keysAsVkeys = { ...keysClaim, value: { authority, counter: 7, keys: keys.keys.map(formatVkey) } };

  const sizes = [1, 2, 3, 7, 8, 9, 31, 32, 33, 40];
  const inclusion = sizes.flatMap((size) =>
    Array.from({ length: size }, (_, index) => ({
      index,
      size,
      leaf: toBase64(leaves[index]!),
      proof: inclusionProof(hashes.slice(0, size), index).map(toBase64),
      root: toBase64(root(size)),
      good: true,
    })),
  );
  const consistency = sizes.flatMap((size) =>
    Array.from({ length: size }, (_, i) => ({
      from: i + 1,
      size,
      proof: consistencyProof(hashes.slice(0, size), i + 1).map(toBase64),
      oldRoot: toBase64(root(i + 1)),
      root: toBase64(root(size)),
      good: true,
    })),
  );
  const proof = (index: number) =>
    formatTlogProof({ index, hashes: inclusionProof(hashes, index), checkpoint });
  const proofs = [0, 17, 39].flatMap((index) => [
    { proof: proof(index), leaf: toBase64(leaves[index]!), vkey, good: true },
    { proof: proof(index), leaf: toBase64(leaves[20]!), vkey, good: false },
  ]);

  const requestNote = await signStatement(REQUEST_NOTE, request, device);
  const appends = await Promise.all(
    [0, 1, 37, 40].flatMap((old) =>
      [null, requestNote].map(async (note) => ({
        body: toBase64(
          formatAppend({ requestNote: note, old, checkpoint: signed, leaves: leaves.slice(old) }),
        ),
        vkey,
        before: leaves.slice(0, old).map(toBase64),
        requestNote: note ?? '',
        old,
        leaves: leaves.slice(old).map(toBase64),
        good: true,
      })),
    ),
  );
  const lost = { ...appends[0]!, before: [toBase64(leaves[1]!)], old: 1, good: false };

  return {
    notes,
    statements: [...statements, keysAsVkeys],
    inclusion: [...inclusion, { ...inclusion.at(-1)!, index: 0, good: false }],
    consistency: [...consistency, { ...consistency.at(-2)!, from: 3, good: false }],
    roots: sizes.map((size) => ({
      leaves: leaves.slice(0, size).map(toBase64),
      root: toBase64(rootOf(appendLeaves(EMPTY_RANGE, hashes.slice(0, size)))),
    })),
    proofs,
    appends: [...appends, lost],
  };
}

describe('the Go libraries', () => {
  it(
    'make the committed vectors, byte for byte',
    async () => {
      await runProgram('generate', folder);
      const committed = (await readdir(VECTORS)).filter((name) => name.endsWith('.json')).sort();
      const made = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
      expect(made).toEqual(committed);
      for (const name of made) {
        const [now, then] = [await readFile(join(folder, name)), await readFile(join(VECTORS, name))];
        expect({ name, same: now.equals(then) }).toEqual({ name, same: true });
      }
    },
    GO_TIMEOUT_MS,
  );

  it(
    'verify what wire makes, and refuse what it breaks',
    async () => {
      const file = join(folder, 'claims');
      await writeFile(file, JSON.stringify(await makeClaims()));
      expect(await runProgram('verify', file)).toBe('');
    },
    GO_TIMEOUT_MS,
  );

  it(
    'notice a false claim: the check above can fail',
    async () => {
      const file = join(folder, 'false-claims');
      const { notes } = await makeClaims();
      await writeFile(file, JSON.stringify({ notes: [{ ...notes[0]!, good: false }] }));
      await expect(runProgram('verify', file)).rejects.toThrow('note 0: claimed false');
    },
    GO_TIMEOUT_MS,
  );
});
