import { concatBytes, utf8, type Bytes } from './bytes.ts';
import { formatCheckpoint, type Checkpoint } from './checkpoint.ts';
import { importEd25519Verifier } from './ed25519.ts';
import { formatSignatureLine, parseSignatureLines, SIGNATURE_TYPE, signaturesBy } from './note.ts';
import type { NoteKey, NoteSignature, NoteSigner } from './note.ts';

/** A verified receipt's time: POSIX seconds, taken by the cosigner before it read its state. */
export type Cosigned = { readonly timestamp: number; readonly key: NoteKey };

/** The message that an Ed25519 cosigner signs (C2SP tlog-cosignature, Ed25519 signed message). */
function cosignedMessage(checkpoint: Checkpoint, timestamp: number): Bytes {
  return utf8(`cosignature/v1\ntime ${timestamp}\n${formatCheckpoint(checkpoint)}`);
}

/**
 * One signature line by which the signer states that, as of `timestamp` (POSIX seconds), this is the largest
 * consistent state that it has seen (and here also: durably appended).
 */
export async function cosign(checkpoint: Checkpoint, timestamp: number, signer: NoteSigner): Promise<string> {
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(timestamp));
  const signature = await signer.sign(cosignedMessage(checkpoint, timestamp));
  return formatSignatureLine({
    name: signer.key.name,
    keyId: signer.key.keyId,
    signature: concatBytes(time, signature),
  });
}

/**
 * The newest good cosignature of `checkpoint` by one of `keys`, or `null`. Lines by unknown keys are ignored;
 * one bad line by a known key spoils them all.
 */
export async function verifyCosignature(
  checkpoint: Checkpoint,
  signatures: readonly NoteSignature[],
  keys: readonly NoteKey[],
): Promise<Cosigned | null> {
  let newest: Cosigned | null = null;
  for (const key of keys) {
    if (key.type !== SIGNATURE_TYPE.cosignature) continue;
    for (const { signature } of signaturesBy(key, signatures)) {
      const timestamp = cosignatureTime(signature);
      if (timestamp === null) return null;
      const verify = await importEd25519Verifier(key.publicKey);
      if (!(await verify(cosignedMessage(checkpoint, timestamp), signature.slice(8)))) return null;
      if (newest === null || timestamp > newest.timestamp) newest = { timestamp, key };
    }
  }
  return newest;
}

/** Verifies a receipt: signature lines that stand alone, over the checkpoint that the client sent. */
export async function verifyReceipt(
  checkpoint: Checkpoint,
  receipt: string,
  keys: readonly NoteKey[],
): Promise<Cosigned | null> {
  const lines = parseSignatureLines(receipt);
  return lines.ok ? verifyCosignature(checkpoint, lines.value, keys) : null;
}

/** The timestamp in a `timestamped_signature`, POSIX seconds, or `null` where it has the wrong length or size. */
export function cosignatureTime(signature: Bytes): number | null {
  if (signature.length !== 8 + 64) return null;
  const timestamp = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0));
  return Number.isSafeInteger(timestamp) ? timestamp : null;
}
