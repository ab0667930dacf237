import {
  ed25519Signer,
  generateEd25519,
  noteKey,
  type NoteSigner,
  type SignatureType,
} from '@tachograph/wire';

/** A fresh key that signs notes under `name`. */
export async function makeSigner(name: string, type: SignatureType): Promise<NoteSigner> {
  const { privateKey, publicKey } = await generateEd25519(false);
  return { key: noteKey(name, type, publicKey), sign: ed25519Signer(privateKey) };
}
