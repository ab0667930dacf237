import {
  appendLeaves,
  bytesEqual,
  cosign,
  deviceIdOf,
  EMPTY_RANGE,
  ENROLMENT_NOTE,
  formatVkey,
  fromBase64,
  fromBase64Url,
  keyNames,
  KEYS_NOTE,
  leafHash,
  noteKey,
  openStatement,
  originOf,
  parseAppend,
  parseAuthority,
  parseCheckpointNote,
  parseTenantId,
  REQUEST_NOTE,
  RESTORE_NOTE,
  rootOf,
  sha256,
  SIGNATURE_TYPE,
  signStatement,
  SUCCESSION_NOTE,
  toHex,
  utf8,
  utf8Text,
  verifyCosignature,
  verifyNote,
  type Authority,
  type Bytes,
  type CompactRange,
  type DeviceId,
  type NoteKey,
  type NoteSigner,
  type Origin,
  type TenantId,
} from '@tachograph/wire';
import { parseLeaf } from '@tachograph/wire/schema';
import { makeSigner } from './make-signer.ts';
import { FakeOrders } from './fake-orders.ts';
import { inflate, problem, type Json, type Reply } from './fake-http.ts';

type Device = {
  readonly origin: Origin;
  readonly key: NoteKey;
  readonly publicKey: Bytes;
  status: 'enrolled' | 'pending_approval' | 'quarantined' | 'revoked';
  range: CompactRange;
  leaves: Bytes[];
  cosigned: string | null;
};

/**
 * A small ingest that keeps its promises: it verifies signatures, trees and challenges as the real one does, and cosigns
 * only what it holds. It is one tenant, in memory, without a log behind it.
 */
export class FakeIngest {
  readonly authority: Authority;
  readonly tenant: TenantId;
  readonly devices = new Map<DeviceId, Device>();
  readonly tokens = new Set<string>();
  /** Requests by path, in order. */
  readonly requests: string[] = [];
  now: () => number;
  cosigner!: NoteSigner;
  lessor!: NoteSigner;
  directive!: NoteSigner;
  /** The directive key before, while it hands over. */
  outgoing: NoteSigner | null = null;
  handovers: string[] = [];
  approval = false;
  counter = 1;
  readonly orders = new FakeOrders();
  readonly #challenges = new Set<string>();
  readonly #spent = new Set<string>();

  constructor(authority: Authority, tenant: TenantId, now: () => number) {
    this.authority = authority;
    this.tenant = tenant;
    this.now = now;
  }

  static async open({ authority = 'audit.example.com', tenant = 'acme', now = Date.now } = {}) {
    const [a, t] = [parseAuthority(authority), parseTenantId(tenant)];
    if (!a.ok || !t.ok) throw new Error('names');
    const ingest = new FakeIngest(a.value, t.value, now);
    const names = keyNames(a.value);
    ingest.cosigner = await makeSigner(names.cosigner, SIGNATURE_TYPE.cosignature);
    ingest.lessor = await makeSigner(names.lease, SIGNATURE_TYPE.ed25519);
    ingest.directive = await makeSigner(names.directive, SIGNATURE_TYPE.ed25519);
    return ingest;
  }

  get directiveVkey(): string {
    return formatVkey(this.directive.key);
  }

  /** The only device, or the newest. */
  get device(): Device {
    return [...this.devices.values()].at(-1)!;
  }

  /** The events of a device, in log order. */
  eventsOf(device: Device): { action: string; data?: Json; time: string; online: boolean }[] {
    return device.leaves.map((leaf) => JSON.parse(utf8Text(leaf)!));
  }

  keysNote(): Promise<string> {
    const { authority, counter, outgoing, directive } = this;
    const keys = [this.cosigner.key, this.lessor.key];
    return outgoing === null
      ? signStatement(KEYS_NOTE, { authority, counter, keys }, directive)
      : signStatement(KEYS_NOTE, { authority, counter, keys: [...keys, directive.key] }, outgoing, directive);
  }

  /** Begins a rotation of the directive key. */
  handOverTo(next: NoteSigner): void {
    this.outgoing = this.directive;
    this.directive = next;
    this.counter++;
  }

  /** Ends it. */
  async retireOutgoing(): Promise<void> {
    this.handovers.push(await this.keysNote());
    this.outgoing = null;
    this.counter++;
  }

  async handle(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    this.requests.push(`${request.method} ${path}`);
    const { status, json, headers } = await this.#route(request.method, path, await inflate(request));
    const type =
      status < 400 || status === 409 || status === 422 ? 'application/json' : 'application/problem+json';
    return new Response(JSON.stringify(json), { status, headers: { 'Content-Type': type, ...headers } });
  }

  async #route(method: string, path: string, body: Bytes): Promise<Reply> {
    if (path === '/v1/keys') return { status: 200, json: await this.#keys() };
    if (path === `/v1/enrolment/${this.tenant}`)
      return method === 'GET' ? this.#offer() : this.#enrol(JSON.parse(utf8Text(body)!));
    const [, id, restore] = new RegExp(`^/v1/logs/${this.tenant}/([^/]+)(/restore)?$`).exec(path) ?? [];
    if (id === undefined || method !== 'POST') return problem(404, 'ERR_NOT_FOUND');
    return restore === undefined
      ? this.#append(id as DeviceId, body)
      : this.#restore(id as DeviceId, JSON.parse(utf8Text(body)!));
  }

  async #keys(): Promise<Json> {
    return { keys: await this.keysNote(), directiveKey: this.directiveVkey, handovers: this.handovers };
  }

  async #offer(): Promise<Reply> {
    const challenge = crypto.randomUUID();
    this.#challenges.add(challenge);
    const json = {
      authority: this.authority,
      challenge,
      expires: new Date(this.now() + 3_600_000).toISOString(),
    };
    return {
      status: 200,
      json: { ...json, methods: ['token'], keys: await this.keysNote(), directiveKey: this.directiveVkey },
    };
  }

  async #enrol(request: Json): Promise<Reply> {
    const { publicKey, proof, credential } = request as {
      publicKey: { x: string };
      proof: string;
      credential: { type: string; token?: string; succession?: string };
    };
    const raw = fromBase64Url(publicKey.x)!;
    const id = deviceIdOf(raw);
    const origin = originOf(this.authority, this.tenant, id);
    const key = noteKey(origin, SIGNATURE_TYPE.ed25519, raw);
    const opened = await openStatement(ENROLMENT_NOTE, proof, [key]);
    const secret = credential.token ?? credential.succession ?? '';
    if (
      !opened.ok ||
      opened.value.origin !== origin ||
      opened.value.credentialHash !== toHex(sha256(utf8(secret)))
    )
      return problem(403, 'ERR_SIGNATURE');
    if (!this.#challenges.delete(opened.value.challenge)) return problem(403, 'ERR_CHALLENGE');
    const known = this.devices.get(id);
    if (known !== undefined) return this.#enrolled(200, id, known);
    let status: Device['status'] = this.approval ? 'pending_approval' : 'enrolled';
    if (credential.type === 'predecessor') {
      if (!(await this.#isSuccession(secret, origin))) return problem(403, 'ERR_SUCCESSION');
      status = 'quarantined';
    } else {
      if (!this.tokens.has(secret)) return problem(403, 'ERR_TOKEN_UNKNOWN');
      if (this.#spent.has(secret)) return problem(403, 'ERR_TOKEN_USED');
      this.#spent.add(secret);
    }
    const device: Device = {
      origin,
      key,
      publicKey: raw,
      status,
      range: EMPTY_RANGE,
      leaves: [],
      cosigned: null,
    };
    this.devices.set(id, device);
    return this.#enrolled(201, id, device);
  }

  async #isSuccession(note: string, newOrigin: Origin): Promise<boolean> {
    const keys = [...this.devices.values()].map(({ key }) => key);
    const opened = await openStatement(SUCCESSION_NOTE, note, keys);
    return opened.ok && opened.value.newOrigin === newOrigin;
  }

  async #enrolled(
    status: number,
    device: DeviceId,
    { origin, status: state, range }: Device,
  ): Promise<Reply> {
    return {
      status,
      json: { device, origin, status: state, size: range.size, keys: await this.keysNote(), limits: {} },
    };
  }

  async #append(id: DeviceId, body: Bytes): Promise<Reply> {
    const parsed = parseAppend(body);
    if (!parsed.ok) return problem(parsed.fault.limit === undefined ? 400 : 413, parsed.fault.code);
    const { old, checkpoint, leaves, requestNote } = parsed.value;
    const device = this.devices.get(id);
    if (device === undefined) return problem(404, 'ERR_UNKNOWN_DEVICE');
    if (checkpoint.origin !== device.origin || !(await verifyNote(checkpoint.note, [device.key])))
      return problem(403, 'ERR_SIGNATURE');
    const note = requestNote === null ? null : await openStatement(REQUEST_NOTE, requestNote, [device.key]);
    if (
      note !== null &&
      !(note.ok && note.value.origin === device.origin && note.value.size === checkpoint.size)
    )
      return problem(403, 'ERR_SIGNATURE');
    if (device.status === 'pending_approval') return problem(403, 'ERR_DEVICE_PENDING');
    const noted = note?.ok ? note.value.nonce : null;
    if (old !== device.range.size) return this.#conflict(409, 'ERR_SIZE_CONFLICT', device, noted);
    const range = appendLeaves(device.range, leaves.map(leafHash));
    if (!bytesEqual(rootOf(range), checkpoint.root))
      return this.#conflict(422, 'ERR_ROOT_MISMATCH', device, noted);
    const receipt = await cosign(checkpoint, Math.floor(this.now() / 1000), this.cosigner);
    // Another append may have been taken while this one was cosigned: of the two only one is.
    if (old !== device.range.size) return this.#conflict(409, 'ERR_SIZE_CONFLICT', device, noted);
    device.range = range;
    device.leaves.push(...leaves);
    this.orders.confirm(leaves);
    device.cosigned = checkpoint.source + receipt;
    const rejected = leaves.flatMap((leaf, i) => {
      const event = parseLeaf(leaf);
      return event.ok ? [] : [{ index: old + i, code: event.fault.code }];
    });
    return { status: 200, json: { receipt, rejected, ...(await this.#extras(device, noted)) } };
  }

  async #conflict(status: number, code: string, device: Device, nonce: string | null): Promise<Reply> {
    // "latest cosigned checkpoint (or null at 0)"
    const checkpoint = device.range.size === 0 ? null : device.cosigned;
    const json = { code, size: device.range.size, checkpoint, rejected: [] };
    return { status, json: { ...json, ...(await this.#extras(device, nonce)) } };
  }

  async #extras({ origin, status }: Device, nonce: string | null): Promise<Json> {
    const extras: Json = { directives: this.orders.openFor(origin), nextCheckInSeconds: 300 };
    if (nonce === null) return extras;
    extras['deviceStatus'] = status;
    extras['keys'] = await this.keysNote();
    if (status === 'enrolled') {
      extras['lease'] = await this.orders.lease(origin, nonce, this.lessor);
    }
    return extras;
  }

  async #restore(id: DeviceId, request: Json): Promise<Reply> {
    const { publicKey, checkpoint, range, proof } = request as {
      publicKey: { x: string };
      checkpoint: string;
      range: string[];
      proof: string;
    };
    const raw = fromBase64Url(publicKey.x)!;
    const origin = originOf(this.authority, this.tenant, deviceIdOf(raw));
    const key = noteKey(origin, SIGNATURE_TYPE.ed25519, raw);
    const note = parseCheckpointNote(checkpoint);
    const opened = await openStatement(RESTORE_NOTE, proof, [key]);
    if (!note.ok || !opened.ok || deviceIdOf(raw) !== id) return problem(422, 'ERR_RESTORE');
    const { size, root } = note.value;
    const state = { size, hashes: range.map((hash) => fromBase64(hash)!) };
    const cosigned = await verifyCosignature(note.value, note.value.note.signatures, [this.cosigner.key]);
    if (cosigned === null || !bytesEqual(rootOf(state), root)) return problem(422, 'ERR_RESTORE');
    const known = this.devices.get(id);
    const device: Device = known ?? {
      origin,
      key,
      publicKey: raw,
      status: 'quarantined',
      range: EMPTY_RANGE,
      leaves: [],
      cosigned: null,
    };
    if (size > device.range.size) Object.assign(device, { range: state, cosigned: checkpoint });
    this.devices.set(id, device);
    return { status: 200, json: { status: 'restored' } };
  }
}
