import { formatEdge, HEADER, REJECTED_TYPE, type LogRecord } from '@tachograph/event-log';
import {
  appendLeaves,
  cosign,
  deviceIdOf,
  ed25519Signer,
  EMPTY_RANGE,
  formatCheckpoint,
  formatVkey,
  generateEd25519,
  leafHash,
  noteKey,
  originOf,
  parseAuthority,
  parseCheckpointNote,
  parseTenantId,
  rootOf,
  SIGNATURE_TYPE,
  signNote,
  toBase64,
  toHex,
  utf8,
  type Authority,
  type Bytes,
  type Checkpoint,
  type CheckpointNote,
  type CompactRange,
  type NoteSigner,
  type Origin,
  type TenantId,
} from '@tachograph/wire';

const AUTHORITY = accepted(parseAuthority('audit.example.com'));

/** A signer with a new key. */
async function testSigner(
  name: string,
  type: NoteSigner['key']['type'] = SIGNATURE_TYPE.ed25519,
): Promise<NoteSigner> {
  const { privateKey, publicKey } = await generateEd25519(false);
  return { key: noteKey(name, type, publicKey), sign: ed25519Signer(privateKey) };
}

export const ingestSigner = (): Promise<NoteSigner> =>
  testSigner(`${AUTHORITY}/ingest`, SIGNATURE_TYPE.cosignature);

type Leaf = { readonly bytes: Bytes; readonly headers?: { readonly [name: string]: string } };

/** A device whose appends are written to the ordered log as ingest writes them. */
export class TestDevice {
  readonly tenant: TenantId;
  readonly origin: Origin;
  readonly id: string;
  readonly #signer: NoteSigner;
  range: CompactRange = EMPTY_RANGE;

  private constructor(authority: Authority, tenant: TenantId, publicKey: Bytes, signer: NoteSigner) {
    const device = deviceIdOf(publicKey);
    this.tenant = tenant;
    this.id = device;
    this.origin = originOf(authority, tenant, device);
    this.#signer = { ...signer, key: noteKey(this.origin, SIGNATURE_TYPE.ed25519, publicKey) };
  }

  static async make(tenant = 'acme'): Promise<TestDevice> {
    const signer = await testSigner('unnamed');
    return new TestDevice(AUTHORITY, accepted(parseTenantId(tenant)), signer.key.publicKey, signer);
  }

  /** The public half of the key that signs this log. */
  get publicKey(): Bytes {
    return this.#signer.key.publicKey;
  }

  get vkey(): string {
    return formatVkey(this.#signer.key);
  }

  get key(): string {
    return `${this.tenant}/${this.id}`;
  }

  /** An append of `leaves` at the device's present end, or at `from` without moving that end. */
  async append(
    leaves: readonly (Leaf | Bytes)[],
    options: { from?: CompactRange; receipt?: string } = {},
  ): Promise<LogRecord[]> {
    const edge = options.from ?? this.range;
    const all = leaves.map((leaf) => (leaf instanceof Uint8Array ? { bytes: leaf } : leaf));
    const hashes = all.map(({ bytes }) => leafHash(bytes));
    const after = appendLeaves(edge, hashes);
    if (options.from === undefined) this.range = after;
    const checkpoint = await signNote(formatCheckpoint(this.checkpoint(after)), this.#signer);
    return all.map((leaf, i) => ({
      key: this.key,
      value: leaf.bytes,
      headers: {
        [HEADER.contentType]: 'application/json',
        [HEADER.specVersion]: '1.0',
        [HEADER.id]: `${this.id}/${edge.size + i}/${toHex(hashes[i]!).slice(0, 12)}`,
        [HEADER.source]: this.origin,
        [HEADER.type]: 'item.reveal',
        [HEADER.time]: '2026-11-22T10:00:00.123Z',
        [HEADER.sequence]: String(edge.size + i).padStart(16, '0'),
        [HEADER.recordedTime]: '2026-11-22T10:00:05.000Z',
        [HEADER.tenant]: this.tenant,
        [HEADER.estimate]: 'monotonic',
        [HEADER.lateness]: '4877',
        [HEADER.deviceStatus]: 'enrolled',
        ...(i === 0 ? { [HEADER.edge]: formatEdge(edge), [HEADER.pending]: String(all.length) } : {}),
        ...(i === 0 && options.receipt !== undefined ? { [HEADER.receipt]: options.receipt } : {}),
        ...(i === all.length - 1 ? { [HEADER.checkpoint]: toBase64(utf8(checkpoint)) } : {}),
        ...leaf.headers,
      },
    }));
  }

  /** `count` ordinary events, numbered by the device's log. */
  appendEvents(count: number): Promise<LogRecord[]> {
    const { size } = this.range;
    return this.append(Array.from({ length: count }, (_, i) => eventLeaf(size + i)));
  }

  /** The receipt header for the device's state at `range`: a checkpoint that ingest has cosigned. */
  async receiptAt(range: CompactRange, signer: NoteSigner): Promise<string> {
    const checkpoint = this.checkpoint(range);
    const line = await cosign(checkpoint, 1_795_341_600, signer);
    return toBase64(utf8(`${formatCheckpoint(checkpoint)}\n${line}`));
  }

  /** The device's present state, signed by it. */
  async signedCheckpoint(): Promise<CheckpointNote> {
    const source = await signNote(formatCheckpoint(this.checkpoint(this.range)), this.#signer);
    const parsed = parseCheckpointNote(source);
    if (!parsed.ok) throw new Error(parsed.fault.detail);
    return parsed.value;
  }

  checkpoint(range: CompactRange): Checkpoint {
    return { origin: this.origin, size: range.size, root: rootOf(range) };
  }
}

/** A valid event of about 250 bytes. */
export function eventLeaf(n: number): Bytes {
  return utf8(
    `{"id":"0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}","time":"2026-11-22T10:00:00.123Z",` +
      `"action":"item.reveal","actor":{"id":"u_7","email":"ana@acme.example"},` +
      `"targets":[{"type":"item","id":"i_42"}],"outcome":"success","online":false,` +
      `"clock":{"boot":"b3f1","ms":${n}},"data":{"vault":"v_1"}}`,
  );
}

/** A leaf that ingest would mark as no valid event. */
export function rejectedLeaf(bytes: Bytes, code: string): Leaf {
  return {
    bytes,
    headers: {
      [HEADER.contentType]: 'application/octet-stream',
      [HEADER.type]: REJECTED_TYPE,
      [HEADER.rejected]: code,
    },
  };
}

function accepted<T>(parsed: { ok: true; value: T } | { ok: false }): T {
  if (!parsed.ok) throw new Error('a name of the tests is malformed');
  return parsed.value;
}
