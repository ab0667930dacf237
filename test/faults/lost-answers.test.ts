import 'fake-indexeddb/auto';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { defineEvents, openAuditBuffer, type RecordedEntry } from '@tachograph/client-buffer';
import {
  cosign,
  ed25519Signer,
  generateEd25519,
  noteKey,
  parseAppend,
  SIGNATURE_TYPE,
  type NoteSigner,
} from '@tachograph/wire';
import { z } from 'zod';
import { admin, createEnrolmentToken } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { feedOf } from '../support/feed.ts';
import {
  fixed,
  flakyProxy,
  type Fault,
  type FlakyProxy,
  type Seen,
  type StandIn,
} from '../support/flaky-proxy.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const ENROLMENT = /^POST \/v1\/enrolment\//;
const APPEND = /^POST \/v1\/logs\/[^/]+\/[^/]+$/;
const ANY = /^/;

let dir: Awaited<ReturnType<typeof tempDir>>;
let server: Served;
let proxy: FlakyProxy;
let directiveKey: string;
let stranger: NoteSigner;
let tenants = 0;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  dir = await tempDir();
  server = await serve({ dataDir: dir.path });
  proxy = await flakyProxy(server);
  ({ directiveKey } = (await (await fetch(`${server.url}/v1/keys`)).json()) as { directiveKey: string });
  const { privateKey, publicKey } = await generateEd25519(false);
  const key = noteKey('localhost/ingest', SIGNATURE_TYPE.cosignature, publicKey);
  stranger = { key, sign: ed25519Signer(privateKey) };
});
afterEach(async () => {
  proxy.heal();
  for (const end of ends.splice(0)) await end();
});
afterAll(async () => {
  await proxy?.close();
  await server?.stop();
  await dir?.remove();
});

function open(tenant: string) {
  const audit = openAuditBuffer({
    endpoint: proxy.url,
    authority: 'localhost',
    tenant,
    directiveKey,
    events: defineEvents({ 'item.reveal': z.object({ n: z.number() }) }),
  });
  ends.push(() => audit.close());
  return audit;
}

type Audit = ReturnType<typeof open>;

/** A browser of a tenant of its own, and what it has recorded. */
class Browser {
  readonly tenant: string;
  readonly token: string;
  readonly entries: RecordedEntry[] = [];
  audit: Audit;
  #origin: string | null = null;

  private constructor(tenant: string, token: string) {
    this.tenant = tenant;
    this.token = token;
    this.audit = open(tenant);
  }

  static async start(): Promise<Browser> {
    const id = `lost-${tenants++}`;
    await admin(server, 'POST', '/tenants', { id, name: id });
    return new Browser(id, await createEnrolmentToken(server, id));
  }

  async record(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const n = this.entries.length;
      this.entries.push(this.audit.record('item.reveal', { actor: { id: 'u_7' }, data: { n } }));
    }
    await this.entries.at(-1)!.durable;
    this.#origin ??= this.audit.status().origin;
  }

  enrol() {
    return this.audit.enrol({ type: 'token', token: this.token });
  }

  async reload(): Promise<void> {
    await this.audit.close();
    this.audit = open(this.tenant);
  }

  /** Uploads until something stands in the way; what that is, or `null`. */
  async tryFlush(): Promise<string | null> {
    const failed = (error: { code?: string; message: string }) => error.code ?? error.message;
    return this.audit.flush().then(() => null, failed);
  }

  /** Nothing was deleted that has no true receipt, and the log is still the first one. */
  expectUnharmed(accepted: number): void {
    const { ledger, origin } = this.audit.status();
    expect(origin).toBe(this.#origin);
    expect(ledger).toMatchObject({
      accepted,
      pending: this.entries.length - accepted,
      lost: 0,
      gap: 0,
      rejected: 0,
    });
  }

  /** Everything that was recorded is in the feed once, in order, in the one log of this browser. */
  async expectDelivered(): Promise<void> {
    await this.audit.flush();
    this.expectUnharmed(this.entries.length);
    const own = await feedOf(server.dataDir, this.#origin!, this.entries.length);
    expect(own.map(({ sequence }) => Number(sequence))).toEqual(this.entries.map((_, i) => i));
    expect(own.map(({ data }) => data?.id)).toEqual(this.entries.map(({ id }) => id));
    const devices = await admin(server, 'GET', `/tenants/${this.tenant}/devices`);
    expect(devices).toMatchObject({ devices: [{ status: 'enrolled', size: this.entries.length }] });
  }
}

const LOST: readonly (readonly [string, Fault])[] = [
  ['lost', { kind: 'swallow' }],
  ['cut off in the middle', { kind: 'cut' }],
];

describe('an enrolment answer that is', () => {
  it.each(LOST)(
    '%s locks nobody out: the token of one use is good for the same device again (INV-07, INV-16)',
    async (_how, fault) => {
      const browser = await Browser.start();
      await browser.record(5);
      proxy.fail(ENROLMENT, fault, 1);
      await expect(browser.enrol()).rejects.toMatchObject({ code: 'ERR_NETWORK' });
      expect(proxy.hits()).toBe(1);
      expect(await browser.enrol()).toBe('enrolled');
      await browser.expectDelivered();
    },
  );

  it('lost for good is not even needed: the log is known, and uploads (INV-16)', async () => {
    const browser = await Browser.start();
    await browser.record(5);
    proxy.fail(ENROLMENT, { kind: 'swallow' }, 1);
    await expect(browser.enrol()).rejects.toMatchObject({ code: 'ERR_NETWORK' });
    await browser.reload();
    await browser.expectDelivered();
  });
});

describe('an append answer that is', () => {
  it.each(LOST)(
    '%s is given again, and nothing arrives twice (INV-02, INV-07, INV-08)',
    async (_how, fault) => {
      const browser = await Browser.start();
      await browser.record(5);
      proxy.fail(APPEND, fault, 1);
      await browser.enrol();
      await eventually('the append was answered into the void', () => (proxy.hits() === 1 ? true : null));
      await browser.record(5);
      await browser.expectDelivered();
    },
  );

  it('lost again and again deletes nothing, whatever else is recorded meanwhile (INV-02, INV-05)', async () => {
    const browser = await Browser.start();
    await browser.enrol();
    await browser.record(3);
    await browser.audit.flush();
    proxy.fail(APPEND, { kind: 'swallow' });
    for (let i = 0; i < 4; i++) {
      await browser.record(3);
      expect(await browser.tryFlush()).toBe('ERR_NETWORK');
      browser.expectUnharmed(3);
    }
    expect(proxy.hits()).toBeGreaterThanOrEqual(4);
    proxy.heal();
    await browser.expectDelivered();
  });

  it('under way for longer than the client waits is as good as lost (INV-02, INV-07)', async () => {
    const browser = await Browser.start();
    await browser.enrol();
    await browser.record(3);
    await browser.audit.flush();
    // The client waits half a minute for an answer; here that is over at once.
    const { setTimeout: real } = globalThis;
    const wait = (run: () => void, ms?: number) => real(run, ms === 30_000 ? 200 : ms);
    jest.spyOn(globalThis, 'setTimeout').mockImplementation(wait);
    proxy.fail(APPEND, { kind: 'hold' });
    await browser.record(3);
    expect(await browser.tryFlush()).toBe('ERR_NETWORK');
    browser.expectUnharmed(3);
    jest.restoreAllMocks();
    proxy.heal();
    await browser.expectDelivered();
  });
});

describe('a check-in answer that is', () => {
  it.each(LOST)('%s is asked for again, and brings the lease (INV-07)', async (_how, fault) => {
    const browser = await Browser.start();
    await browser.enrol();
    await browser.record(3);
    await browser.expectDelivered();
    // A page that opens checks in at once.
    proxy.fail(APPEND, fault, 1);
    await browser.reload();
    await eventually('the check-in was answered into the void', () => (proxy.hits() === 1 ? true : null));
    await browser.expectDelivered();
    expect(await browser.audit.offlineAccess({ scope: 'vaults' })).toMatchObject({ allowed: true });
  });
});

const HTML = '<!doctype html><title>Welcome to the Grand Hotel</title><form action="/login"></form>';

const JSON_TYPE = { 'content-type': 'application/json' };

/** An answer in which all is right but who has signed it. */
async function forgedAnswer({ method, path, body }: Seen): Promise<StandIn> {
  if (!APPEND.test(`${method} ${path}`)) {
    const keys = 'tachograph keys/v1\nlocalhost\n99\n\n\u2014 localhost/directive AAAAAAAA\n';
    const offer = { authority: 'localhost', challenge: 'AAAA', methods: ['token'], keys, directiveKey };
    return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ ...offer, status: 'enrolled' }) };
  }
  const parsed = parseAppend(body[0] === 0x1f ? new Uint8Array(gunzipSync(body)) : body);
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  const receipt = await cosign(parsed.value.checkpoint, Math.floor(Date.now() / 1000), stranger);
  const answer = { receipt, rejected: [], directives: [], nextCheckInSeconds: 86_400 };
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(answer) };
}

const nullCheckpoint = JSON.stringify({ code: 'ERR_SIZE_CONFLICT', size: 0, checkpoint: null, rejected: [] });

const PORTALS: readonly (readonly [string, Fault])[] = [
  ['HTML with 200', fixed(200, HTML)],
  ['JSON of the right shape, signed by a stranger', { kind: 'answer', make: forgedAnswer }],
  ['a redirect to its login', fixed(302, '', { location: '/login' })],
  ['a redirect that keeps the method', fixed(307, '', { location: '/login' })],
  ['HTML with 404', fixed(404, HTML)],
  ['JSON with 404', fixed(404, '{"error":"not found"}', JSON_TYPE)],
  ['a 409 whose checkpoint is null', fixed(409, nullCheckpoint, JSON_TYPE)],
  ['a 422 whose checkpoint is null', fixed(422, nullCheckpoint, JSON_TYPE)],
  ['511, as a portal should', fixed(511, HTML)],
  ['nothing with 200', fixed(200, '')],
];

describe('a captive portal that answers', () => {
  it.each(PORTALS)(
    '%s deletes nothing, opens no successor, and all arrives afterwards (INV-02, INV-05, INV-08)',
    async (_how, portal) => {
      const browser = await Browser.start();
      await browser.record(3);
      // Behind the portal from the start: neither enrolled nor told otherwise.
      proxy.fail(ANY, portal);
      await expect(browser.enrol()).rejects.toMatchObject({ name: 'AuditBufferError' });
      browser.expectUnharmed(0);
      // Enrolled, and behind it without any receipt.
      proxy.fail(APPEND, portal);
      await browser.enrol();
      await browser.record(3);
      expect(await browser.tryFlush()).not.toBeNull();
      browser.expectUnharmed(0);
      proxy.heal();
      await browser.audit.flush();
      // And with a receipt, on a page that just opens and checks in.
      proxy.fail(ANY, portal);
      await browser.reload();
      await browser.record(3);
      for (let i = 0; i < 3; i++) {
        expect(await browser.tryFlush()).not.toBeNull();
        browser.expectUnharmed(6);
      }
      expect(proxy.hits()).toBeGreaterThan(0);
      proxy.heal();
      await browser.expectDelivered();
    },
  );
});
