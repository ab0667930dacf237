import { fromBase64, toBase64 } from './base64.ts';
import { bytesEqual, concatBytes, toHex, utf8, type Bytes } from './bytes.ts';
import { importEd25519Verifier, type Ed25519Signer } from './ed25519.ts';
import { parsing, refuse, type Parsed } from './fault.ts';
import { LIMITS } from './limits.ts';
import { sha256 } from './sha256.ts';

/** Signature types of C2SP signed-note that we use: plain Ed25519, and a timestamped checkpoint cosignature. */
export const SIGNATURE_TYPE = { ed25519: 0x01, cosignature: 0x04 } as const;
export type SignatureType = (typeof SIGNATURE_TYPE)[keyof typeof SIGNATURE_TYPE];

/** One signature line: key name, 4-byte key id, and what the key's algorithm made. */
export type NoteSignature = { readonly name: string; readonly keyId: Bytes; readonly signature: Bytes };

/** A signed note (C2SP signed-note v1.0.0). `text` includes its final newline. Nothing in it is verified yet. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

/** A public key that notes are verified with, from a vkey or from its parts. */
export type NoteKey = {
  readonly name: string;
  readonly type: SignatureType;
  readonly publicKey: Bytes;
  readonly keyId: Bytes;
};

/** A private key that signs notes. */
export type NoteSigner = { readonly key: NoteKey; readonly sign: Ed25519Signer };

// "MUST NOT contain any Unicode spaces or plus (U+002B) characters" (signed-note, Format).
const KEY_NAME = /^[^\p{White_Space}\p{Cc}+]+$/u;
// Control characters that a note may not hold: those below U+0020 other than newline.
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const SIGNATURE_PREFIX = '— ';

/** key ID = SHA-256(key name || 0x0A || signature type || public key)[:4] (signed-note, Signatures). */
export function noteKey(name: string, type: SignatureType, publicKey: Bytes): NoteKey {
  const keyId = sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).slice(0, 4);
  return { name, type, publicKey, keyId };
}

/** `<key name>+hex(key ID)+base64(signature type || public key)` (signed-note, Verifier keys). */
export function formatVkey(key: NoteKey): string {
  return `${key.name}+${toHex(key.keyId)}+${toBase64(concatBytes(Uint8Array.of(key.type), key.publicKey))}`;
}

export function parseVkey(text: string): Parsed<NoteKey> {
  return parsing(() => {
    // The base64 part may hold plus characters itself; the name and the id cannot.
    const [, name, id, material] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
    const bytes = material === undefined ? null : fromBase64(material);
    if (name === undefined || !KEY_NAME.test(name) || bytes === null || bytes.length !== 33) {
      return refuse('ERR_VKEY', 'a verifier key is <name>+<key id>+<base64 of type and 32-byte key>');
    }
    const type = bytes[0];
    if (type !== SIGNATURE_TYPE.ed25519 && type !== SIGNATURE_TYPE.cosignature) {
      return refuse('ERR_VKEY', 'the key is of an unknown signature type');
    }
    const key = noteKey(name, type, bytes.slice(1));
    if (toHex(key.keyId) !== id) refuse('ERR_VKEY', 'the key id is not that of the name and the key');
    return key;
  });
}

/** Parses the form, and verifies nothing. */
export function parseNote(source: string): Parsed<Note> {
  return parsing(() => {
    if (utf8(source).length > LIMITS.noteBytesMax) {
      refuse('ERR_NOTE_TOO_LARGE', 'the note is too large', { limit: LIMITS.noteBytesMax });
    }
    if (CONTROL.test(source) || !source.isWellFormed())
      refuse('ERR_NOTE', 'a note holds no control characters');
    // "the text is separated from the signatures by the last empty line in the note"
    const split = source.lastIndexOf('\n\n');
    if (split < 0 || !source.endsWith('\n'))
      refuse('ERR_NOTE', 'a note is text, an empty line, and signature lines');
    const lines = source.slice(split + 2, -1).split('\n');
    if (lines.length > LIMITS.noteSignaturesMax) {
      refuse('ERR_NOTE', 'the note has too many signatures', { limit: LIMITS.noteSignaturesMax });
    }
    return { text: source.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
  });
}

function parseSignatureLine(line: string): NoteSignature {
  const [name, encoded, ...rest] = line.startsWith(SIGNATURE_PREFIX)
    ? line.slice(SIGNATURE_PREFIX.length).split(' ')
    : [];
  const bytes = encoded === undefined ? null : fromBase64(encoded);
  if (name === undefined || !KEY_NAME.test(name) || bytes === null || bytes.length < 5 || rest.length > 0) {
    return refuse('ERR_NOTE', 'a signature line is "— <key name> <base64 of key id and signature>"');
  }
  return { name, keyId: bytes.slice(0, 4), signature: bytes.slice(4) };
}

/** Parses signature lines that stand alone, as a receipt does. */
export function parseSignatureLines(source: string): Parsed<readonly NoteSignature[]> {
  return parsing(() => {
    if (source.length > LIMITS.noteBytesMax) {
      refuse('ERR_NOTE_TOO_LARGE', 'the signature lines are too large', { limit: LIMITS.noteBytesMax });
    }
    if (!source.endsWith('\n') || CONTROL.test(source) || !source.isWellFormed())
      refuse('ERR_NOTE', 'signature lines end in a newline and hold no control characters');
    const lines = source.slice(0, -1).split('\n');
    if (lines.length > LIMITS.noteSignaturesMax) {
      refuse('ERR_NOTE', 'there are too many signatures', { limit: LIMITS.noteSignaturesMax });
    }
    return lines.map(parseSignatureLine);
  });
}

export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  return `${SIGNATURE_PREFIX}${name} ${toBase64(concatBytes(keyId, signature))}\n`;
}

export function formatNote(note: Note): string {
  return `${note.text}\n${note.signatures.map(formatSignatureLine).join('')}`;
}

/** Signs `text` (which ends in a newline) with plain Ed25519 keys (type 0x01). */
export async function signNote(text: string, ...signers: readonly NoteSigner[]): Promise<string> {
  const signatures = await Promise.all(
    signers.map(async ({ key, sign }) => ({
      name: key.name,
      keyId: key.keyId,
      signature: await sign(utf8(text)),
    })),
  );
  return formatNote({ text, signatures });
}

/** The signatures of a note that `key` claims to have made: "the tuple of key name and key ID". */
export function signaturesBy(key: NoteKey, signatures: readonly NoteSignature[]): NoteSignature[] {
  return signatures.filter(({ name, keyId }) => name === key.name && bytesEqual(keyId, key.keyId));
}

/**
 * Whether `note` carries a good plain Ed25519 signature by one of `keys`, and none by one of them that is bad:
 * "If a signature from a known key fails to verify, clients SHOULD reject the whole note."
 */
export async function verifyNote(note: Note, keys: readonly NoteKey[]): Promise<boolean> {
  let verified = false;
  for (const key of keys) {
    if (key.type !== SIGNATURE_TYPE.ed25519) continue;
    for (const { signature } of signaturesBy(key, note.signatures)) {
      const verify = await importEd25519Verifier(key.publicKey);
      if (!(await verify(utf8(note.text), signature))) return false;
      verified = true;
    }
  }
  return verified;
}
