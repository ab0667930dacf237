import {
  ed25519Signer,
  generateEd25519,
  deviceIdOf,
  noteKey,
  originOf,
  SIGNATURE_TYPE,
  type Authority,
  type DeviceId,
  type NoteSigner,
  type Origin,
  type TenantId,
} from '@tachograph/wire';
import { isSpent } from './core/rows.ts';
import { AuditBufferError } from './errors.ts';
import type { Identity } from './log-store.ts';
import type { SharedState } from './shared-state.ts';

/** The device keys: makes them, and signs as a log. */
export class Keyring {
  readonly #state: SharedState;
  readonly #authority: Authority;
  readonly #tenant: TenantId;
  readonly #signers = new Map<DeviceId, NoteSigner>();

  constructor(state: SharedState, authority: Authority, tenant: TenantId) {
    this.#state = state;
    this.#authority = authority;
    this.#tenant = tenant;
    // The store has deleted its key: this page keeps no handle of it either.
    state.onRows(({ log }) => {
      if (log !== null && isSpent(log)) this.#signers.clear();
    });
  }

  /**
   * A new device key that WebCrypto will use and never show. It is not stored yet.
   * @throws AuditBufferError ERR_INSECURE_CONTEXT, ERR_NO_ED25519
   */
  async create(): Promise<{ identity: Identity; origin: Origin }> {
    const subtle = (globalThis as { crypto?: { subtle?: SubtleCrypto } }).crypto?.subtle;
    if (subtle === undefined) throw new AuditBufferError('ERR_INSECURE_CONTEXT', 'WebCrypto needs HTTPS');
    try {
      const { privateKey, publicKey } = await generateEd25519(false);
      const device = deviceIdOf(publicKey);
      return { identity: { device, publicKey, privateKey }, origin: this.originOf(device) };
    } catch (cause) {
      throw new AuditBufferError('ERR_NO_ED25519', 'WebCrypto makes no Ed25519 keys here', { cause });
    }
  }

  originOf(device: DeviceId): Origin {
    return originOf(this.#authority, this.#tenant, device);
  }

  /** Signs as the log of `device`: type 0x01, key name = origin. */
  async signer(device: DeviceId): Promise<NoteSigner> {
    const known = this.#signers.get(device);
    if (known !== undefined) return known;
    const identity = await this.#state.store.identity(device);
    if (identity === null) throw new AuditBufferError('ERR_STORAGE', 'the key of the log is gone');
    const signer = {
      key: noteKey(this.originOf(device), SIGNATURE_TYPE.ed25519, identity.publicKey),
      sign: ed25519Signer(identity.privateKey),
    };
    this.#signers.set(device, signer);
    return signer;
  }
}
