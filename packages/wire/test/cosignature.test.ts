import { describe, expect, it } from '@jest/globals';
import {
  concatBytes,
  cosign,
  cosignatureTime,
  EMPTY_ROOT,
  formatSignatureLine,
  leafHash,
  noteKey,
  parseSignatureLines,
  SIGNATURE_TYPE,
  verifyCosignature,
  verifyReceipt,
  type Checkpoint,
} from '../src/index.ts';
import { deviceOf, signerOf, valueOf } from './support.ts';

const { origin } = await deviceOf(1);
const checkpoint: Checkpoint = { origin, size: 3, root: leafHash(Uint8Array.of(3)) };
const ingest = await signerOf(2, 'audit.example.com/ingest', SIGNATURE_TYPE.cosignature);
const next = await signerOf(3, 'audit.example.com/ingest', SIGNATURE_TYPE.cosignature);
const stranger = await signerOf(4, 'audit.example.org/ingest', SIGNATURE_TYPE.cosignature);
const line = await cosign(checkpoint, 1_795_341_600, ingest);

describe('a receipt', () => {
  it('verifies with the key of the cosigner and carries its time', async () => {
    expect(await verifyReceipt(checkpoint, line, [ingest.key])).toEqual({
      timestamp: 1_795_341_600,
      key: ingest.key,
    });
  });

  it('is for one checkpoint only', async () => {
    const others: Checkpoint[] = [
      { ...checkpoint, size: 4 },
      { ...checkpoint, root: EMPTY_ROOT },
      { ...checkpoint, origin: (await deviceOf(9)).origin },
    ];
    for (const other of others) expect(await verifyReceipt(other, line, [ingest.key])).toBeNull();
  });

  it('needs a known key: by name and id, of the cosigner type', async () => {
    expect(await verifyReceipt(checkpoint, line, [])).toBeNull();
    expect(await verifyReceipt(checkpoint, line, [next.key, stranger.key])).toBeNull();
    const plain = noteKey(ingest.key.name, SIGNATURE_TYPE.ed25519, ingest.key.publicKey);
    expect(await verifyReceipt(checkpoint, line, [plain])).toBeNull();
    const asNote = await cosign(checkpoint, 1, { key: plain, sign: ingest.sign });
    expect(await verifyReceipt(checkpoint, asNote, [plain])).toBeNull();
  });

  it('may have a line by each key of a rotation: one known key suffices, the newest time counts', async () => {
    const both = line + (await cosign(checkpoint, 1_795_341_700, next));
    expect((await verifyReceipt(checkpoint, both, [ingest.key]))?.timestamp).toBe(1_795_341_600);
    expect((await verifyReceipt(checkpoint, both, [ingest.key, next.key]))?.timestamp).toBe(1_795_341_700);
    expect((await verifyReceipt(checkpoint, both, [next.key, ingest.key]))?.timestamp).toBe(1_795_341_700);
  });

  it('is spoiled by one bad line of a known key', async () => {
    const signature = valueOf(parseSignatureLines(line))[0]!;
    const changedTime = signature.signature.slice();
    changedTime[7]! ^= 1;
    const bad = [
      changedTime,
      signature.signature.slice(8),
      concatBytes(signature.signature, Uint8Array.of(0)),
      new Uint8Array(72),
      new Uint8Array(72).fill(255),
    ];
    for (const broken of bad) {
      const badLine = formatSignatureLine({ ...signature, signature: broken });
      expect(await verifyReceipt(checkpoint, badLine, [ingest.key])).toBeNull();
      expect(await verifyReceipt(checkpoint, line + badLine, [ingest.key])).toBeNull();
      expect(await verifyReceipt(checkpoint, badLine + line, [ingest.key])).toBeNull();
    }
  });

  it('is not spoiled by a bad line of an unknown key', async () => {
    const theirs = valueOf(parseSignatureLines(await cosign(checkpoint, 1, stranger)))[0]!;
    const badLine = formatSignatureLine({ ...theirs, signature: new Uint8Array(72) });
    expect(await verifyReceipt(checkpoint, badLine + line, [ingest.key])).not.toBeNull();
  });

  it('is refused where it is no signature line', async () => {
    for (const receipt of ['', '\n', line.trimEnd(), `${line}\n`, `<html>${line}`]) {
      expect(await verifyReceipt(checkpoint, receipt, [ingest.key])).toBeNull();
    }
  });
});

describe('the time of a cosignature', () => {
  it('is read up to 2^53 − 1 and refused beyond', () => {
    const signature = new Uint8Array(72);
    const view = new DataView(signature.buffer);
    view.setBigUint64(0, 2n ** 53n - 1n);
    expect(cosignatureTime(signature)).toBe(2 ** 53 - 1);
    view.setBigUint64(0, 2n ** 53n);
    expect(cosignatureTime(signature)).toBeNull();
    view.setBigUint64(0, 2n ** 64n - 1n);
    expect(cosignatureTime(signature)).toBeNull();
    expect(cosignatureTime(signature.slice(1))).toBeNull();
  });

  it('is read also where the signature is a view into a larger array', async () => {
    const { signature } = valueOf(parseSignatureLines(line))[0]!;
    const view = concatBytes(new Uint8Array(5), signature).subarray(5);
    expect(cosignatureTime(view)).toBe(1_795_341_600);
    const signatures = [{ name: ingest.key.name, keyId: ingest.key.keyId, signature: view }];
    expect(await verifyCosignature(checkpoint, signatures, [ingest.key])).not.toBeNull();
  });
});
