import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import {
  noteKey,
  publicJwk,
  SIGNATURE_TYPE,
  signaturesBy,
  utf8,
  type Bytes,
  type Note,
  type NoteKey,
  type NoteSignature,
  type Origin,
} from '@tachograph/wire';

const KEYS_MAX = 20_000;

/**
 * Verifies notes by devices' keys. Node's own verification in its thread pool is what measures best here: twice
 * the rate of WebCrypto with a key that was imported once, and the event loop stays free.
 */
export class DeviceVerifier {
  readonly #keys = new Map<string, { readonly noteKey: NoteKey; readonly key: KeyObject }>();

  /**
   * The device's own signature on `note`, verified, or `null`: there must be one, and a line under the device's
   * key that does not verify spoils the note.
   */
  async verify(origin: Origin, publicKey: Bytes, note: Note): Promise<NoteSignature | null> {
    const device = this.#key(origin, publicKey);
    const signatures = signaturesBy(device.noteKey, note.signatures);
    const message = utf8(note.text);
    for (const { signature } of signatures) {
      if (!(await verifies(message, device.key, signature))) return null;
    }
    return signatures[0] ?? null;
  }

  #key(origin: Origin, publicKey: Bytes): { readonly noteKey: NoteKey; readonly key: KeyObject } {
    const known = this.#keys.get(origin);
    // An origin names its key's thumbprint, so what is known under it is this key.
    if (known !== undefined) return known;
    const made = {
      noteKey: noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey),
      key: createPublicKey({ key: publicJwk(publicKey), format: 'jwk' }),
    };
    if (this.#keys.size >= KEYS_MAX) this.#keys.clear();
    this.#keys.set(origin, made);
    return made;
  }
}

function verifies(message: Bytes, key: KeyObject, signature: Bytes): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(null, message, key, signature, (error, isGood) => {
      if (error === null) resolve(isGood);
      else reject(error);
    });
  });
}
