import { concatBytes, type Bytes } from './bytes.ts';

/** Verifies Ed25519 signatures (RFC 8032) of one key. */
export type Ed25519Verifier = (message: Bytes, signature: Bytes) => Promise<boolean>;
/** Makes Ed25519 signatures (RFC 8032), 64 bytes, with one key. */
export type Ed25519Signer = (message: Bytes) => Promise<Bytes>;

/**
 * A verifier for a 32-byte public key.
 * @throws DOMException where the runtime has no WebCrypto Ed25519, or the key is no point of the curve
 */
export async function importEd25519Verifier(publicKey: Bytes): Promise<Ed25519Verifier> {
  const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', true, ['verify']);
  return (message, signature) => crypto.subtle.verify('Ed25519', key, signature, message);
}

/** A signer for a WebCrypto private key, extractable or not. */
export function ed25519Signer(privateKey: CryptoKey): Ed25519Signer {
  return async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, message));
}

/** A new key pair. With `extractable` false the private key cannot be read out again, only used. */
export async function generateEd25519(
  extractable: boolean,
): Promise<{ privateKey: CryptoKey; publicKey: Bytes }> {
  const pair = await crypto.subtle.generateKey('Ed25519', extractable, ['sign', 'verify']);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { privateKey: pair.privateKey, publicKey };
}

/** DER of PrivateKeyInfo for Ed25519 up to the 32-byte seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

/** A non-extractable private key from its 32-byte seed (RFC 8032, section 5.1.5). */
export async function importEd25519Seed(seed: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', concatBytes(PKCS8_PREFIX, seed), 'Ed25519', false, ['sign']);
}
