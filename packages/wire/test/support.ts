import {
  deviceIdOf,
  ed25519Signer,
  importEd25519Seed,
  noteKey,
  parseAuthority,
  parseTenantId,
  originOf,
  SIGNATURE_TYPE,
  type Bytes,
  type Fault,
  type NoteSigner,
  type Origin,
  type Parsed,
  type SignatureType,
} from '../src/index.ts';

/** The value, or a failed test that says which fault came instead. */
export function valueOf<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(`${parsed.fault.code}: ${parsed.fault.detail}`);
  return parsed.value;
}

/** The fault, or a failed test. */
export function faultOf(parsed: Parsed<unknown>): Fault {
  if (parsed.ok) throw new Error('was accepted');
  return parsed.fault;
}

export function codeOf(parsed: Parsed<unknown>): string {
  return parsed.ok ? 'accepted' : parsed.fault.code;
}

/** A key pair from a seed of 32 equal bytes, by the name that `nameOf` makes of its public key. */
export async function signerOf(
  seedByte: number,
  name: string,
  type: SignatureType = SIGNATURE_TYPE.ed25519,
): Promise<NoteSigner> {
  const { sign, publicKey } = await keyPairOf(seedByte);
  return { key: noteKey(name, type, publicKey), sign };
}

/** A device of tenant `acme` at `audit.example.com`. */
export async function deviceOf(seedByte: number): Promise<NoteSigner & { readonly origin: Origin }> {
  const { sign, publicKey } = await keyPairOf(seedByte);
  const authority = valueOf(parseAuthority('audit.example.com'));
  const origin = originOf(authority, valueOf(parseTenantId('acme')), deviceIdOf(publicKey));
  return { key: noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey), sign, origin };
}

async function keyPairOf(seedByte: number): Promise<{ sign: NoteSigner['sign']; publicKey: Bytes }> {
  const seed = new Uint8Array(32).fill(seedByte);
  return { sign: ed25519Signer(await importEd25519Seed(seed)), publicKey: await publicKeyOfSeed(seed) };
}

/** WebCrypto gives a public key only from an extractable private one: import once more, and read it out. */
export async function publicKeyOfSeed(seed: Uint8Array): Promise<Bytes> {
  const der = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20, ...seed);
  const key = await crypto.subtle.importKey('pkcs8', der, 'Ed25519', true, ['sign']);
  const { x } = await crypto.subtle.exportKey('jwk', key);
  return new Uint8Array(Buffer.from(x!, 'base64url'));
}
