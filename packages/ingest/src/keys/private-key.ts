import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import {
  concatBytes,
  ed25519Signer,
  fromBase64,
  generateEd25519,
  noteKey,
  SIGNATURE_TYPE,
  toBase64,
  toHex,
  type Bytes,
  type Ed25519Signer,
  type Fault,
  type NoteSigner,
  type Parsed,
  type SignatureType,
} from '@tachograph/wire';
import { Secret } from '../secret.ts';

/** A private key as its file holds it, and the signer that it is. */
export type PrivateKey = { readonly signer: NoteSigner; readonly file: Secret };

const PREFIX = 'PRIVATE+KEY+';

/**
 * A new key named `name` that signs as `type`. Its file is `PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 and
 * seed>`, which Go's `golang.org/x/mod/sumdb/note` and `formats/note` read as they are; like theirs, the file of a
 * cosigner has the type and the id of the plain Ed25519 key, and its use decides how it signs.
 */
export async function generatePrivateKey(name: string, type: SignatureType): Promise<PrivateKey> {
  const { privateKey, publicKey } = await generateEd25519(true);
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey));
  // RFC 8410, section 7: the seed is the end of a PrivateKeyInfo without attributes.
  const seed = pkcs8.slice(-32);
  const { keyId } = noteKey(name, SIGNATURE_TYPE.ed25519, publicKey);
  const material = toBase64(concatBytes(Uint8Array.of(SIGNATURE_TYPE.ed25519), seed));
  const file = new Secret(`${PREFIX}${name}+${toHex(keyId)}+${material}\n`);
  return { signer: { key: noteKey(name, type, publicKey), sign: ed25519Signer(privateKey) }, file };
}

/**
 * The signer in a key file.
 * @returns ERR_CONFIG where the file is not of its form, is another name's, or was damaged
 */
export async function parsePrivateKey(
  text: string,
  name: string,
  type: SignatureType,
): Promise<Parsed<NoteSigner>> {
  const [, found, id, material] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([^\n]+)\n$/.exec(text) ?? [];
  const bytes = material === undefined ? null : fromBase64(material);
  if (bytes === null || bytes.length !== 33 || bytes[0] !== SIGNATURE_TYPE.ed25519) {
    return { ok: false, fault: fault('not a private key in note format') };
  }
  if (found !== name) return { ok: false, fault: fault(`the key is named ${found}, not ${name}`) };
  const seed = bytes.slice(1);
  const key = privateKeyOf(seed);
  const publicKey = publicKeyOf(key);
  if (toHex(noteKey(name, SIGNATURE_TYPE.ed25519, publicKey).keyId) !== id) {
    return { ok: false, fault: fault('the key id does not belong to the key') };
  }
  return { ok: true, value: { key: noteKey(name, type, publicKey), sign: signerOf(key) } };
}

/** Signs at once: to hand 200 bytes to another thread costs more than to sign them, and WebCrypto always does. */
function signerOf(key: KeyObject): Ed25519Signer {
  return async (message) => new Uint8Array(sign(null, message, key));
}

function privateKeyOf(seed: Bytes): KeyObject {
  // RFC 8410, section 7, up to the seed.
  const der = concatBytes(Buffer.from('302e020100300506032b657004220420', 'hex'), seed);
  return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
}

function publicKeyOf(key: KeyObject): Bytes {
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(String(jwk.x), 'base64url'));
}

function fault(detail: string): Fault {
  return { code: 'ERR_CONFIG', detail };
}
