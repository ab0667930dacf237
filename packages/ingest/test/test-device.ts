import { randomUUID } from 'node:crypto';
import {
  appendLeaves,
  deviceIdOf,
  ed25519Signer,
  EMPTY_RANGE,
  formatAppend,
  formatCheckpoint,
  generateEd25519,
  leafHash,
  noteKey,
  originOf,
  parseCheckpointNote,
  REQUEST_NOTE,
  RESTORE_NOTE,
  rootOf,
  SIGNATURE_TYPE,
  signNote,
  signStatement,
  toBase64,
  utf8,
  type Authority,
  type Bytes,
  type CheckpointNote,
  type CompactRange,
  type DeviceId,
  type NoteSigner,
  type Origin,
  type RequestStatement,
  type TenantId,
} from '@tachograph/wire';

/** A device in a few lines: a key, its leaves, and the bytes that it would send. It decides nothing by itself. */
export class TestDevice {
  readonly tenant: string;
  readonly publicKey: Bytes;
  readonly device: DeviceId;
  readonly origin: Origin;
  readonly signer: NoteSigner;
  readonly leaves: Bytes[] = [];

  private constructor(authority: string, tenant: string, publicKey: Bytes, privateKey: CryptoKey) {
    this.tenant = tenant;
    this.publicKey = publicKey;
    this.device = deviceIdOf(publicKey);
    this.origin = originOf(authority as Authority, tenant as TenantId, this.device);
    const key = noteKey(this.origin, SIGNATURE_TYPE.ed25519, publicKey);
    this.signer = { key, sign: ed25519Signer(privateKey) };
  }

  static async create(authority: string, tenant: string): Promise<TestDevice> {
    const { privateKey, publicKey } = await generateEd25519(true);
    return new TestDevice(authority, tenant, publicKey, privateKey);
  }

  get path(): string {
    return `/v1/logs/${this.tenant}/${this.device}`;
  }

  /** A second holder of the same key and leaves: what a copied browser profile is. */
  clone(): TestDevice {
    const copy = Object.create(TestDevice.prototype) as TestDevice;
    return Object.assign(copy, this, { leaves: [...this.leaves] });
  }

  /** Adds `count` events, one leaf each. */
  record(count: number, members: { readonly [name: string]: unknown } = {}): void {
    for (let i = 0; i < count; i++) this.leaves.push(testLeaf(members));
  }

  range(size = this.leaves.length): CompactRange {
    return appendLeaves(EMPTY_RANGE, this.leaves.slice(0, size).map(leafHash));
  }

  async checkpoint(size = this.leaves.length): Promise<string> {
    const root = rootOf(this.range(size));
    return signNote(formatCheckpoint({ origin: this.origin, size, root }), this.signer);
  }

  async checkpointNote(size = this.leaves.length): Promise<CheckpointNote> {
    const parsed = parseCheckpointNote(await this.checkpoint(size));
    if (!parsed.ok) throw new Error(parsed.fault.detail);
    return parsed.value;
  }

  async requestNote(size: number, statement: Partial<RequestStatement> = {}): Promise<string> {
    return signStatement(
      REQUEST_NOTE,
      {
        origin: this.origin,
        size,
        nonce: randomUUID(),
        wallClock: Date.now(),
        boot: 'boot-1',
        monotonicMs: 60_000,
        pendingCount: this.leaves.length,
        oldestPending: null,
        ...statement,
      },
      this.signer,
    );
  }

  /** The body of an append of the leaves from `old` to `size`. */
  async append(old: number, size = this.leaves.length, request?: Partial<RequestStatement>): Promise<Bytes> {
    return formatAppend({
      requestNote: request === undefined ? null : await this.requestNote(size, request),
      old,
      checkpoint: await this.checkpoint(size),
      leaves: this.leaves.slice(old, size),
    });
  }

  /** The body of `POST …/restore` for a receipt at `size`. */
  async restore(size: number, receipt: string) {
    const range = this.range(size);
    return {
      publicKey: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(this.publicKey).toString('base64url') },
      checkpoint: `${await this.checkpoint(size)}${receipt}`,
      range: range.hashes.map(toBase64),
      proof: await signStatement(
        RESTORE_NOTE,
        { origin: this.origin, size, root: rootOf(range) },
        this.signer,
      ),
    };
  }
}

/** One valid event. `members` replace its own. */
export function testLeaf(members: { readonly [name: string]: unknown } = {}): Bytes {
  return utf8(
    JSON.stringify({
      id: randomUUID(),
      time: new Date().toISOString(),
      action: 'item.reveal',
      actor: { id: 'u_7', email: 'ana@acme.example' },
      targets: [{ type: 'item', id: 'i_42', name: 'prod-db' }],
      outcome: 'success',
      online: false,
      clock: { boot: 'boot-1', ms: 50_000 },
      data: { vault: 'v_1' },
      ...members,
    }),
  );
}

/** The leaves of a device, as text. */
export function textsOf(device: TestDevice): string[] {
  return device.leaves.map((leaf) => Buffer.from(leaf).toString());
}
