import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import {
  ENROLMENT_NOTE,
  signStatement,
  SUCCESSION_NOTE,
  toBase64Url,
  type EnrolmentStatement,
  type Parsed,
  type SuccessionStatement,
} from '@tachograph/wire';
import { parseLeaf } from '@tachograph/wire/schema';
import { pino } from 'pino';
import type { ControlContext } from '../src/api-context.ts';
import { loadConfig, type IngestConfig } from '../src/config.ts';
import { adminGate, createAdminToken } from '../src/control/admin-tokens.ts';
import { controlRoutes } from '../src/control/routes.ts';
import { createTenant } from '../src/control/tenants.ts';
import { enrolmentRoutes } from '../src/enrolment/routes.ts';
import { installHttp } from '../src/http/install.ts';
import { registerRoutes } from '../src/http/register.ts';
import { serverOptions } from '../src/http/server-options.ts';
import { createKeys } from '../src/keys/create-keys.ts';
import { loadDirectiveKeys } from '../src/keys/directive-key.ts';
import { loadIngestKeys } from '../src/keys/load-keys.ts';
import { createMetrics } from '../src/metrics.ts';
import { openSqliteRegistry, type Registry } from '../src/registry/registry.ts';
import { TestDevice } from './test-device.ts';

export const AUTHORITY = 'audit.example.com';
export const ADMIN_TOKEN = 'an-administrator-token-for-tests';
export const START = Date.parse('2026-11-22T10:00:00.000Z');

export type Reply = { readonly status: number; readonly body: { readonly [name: string]: unknown } };

/** Enrolment and the control API over a registry in a folder of its own, without a log. */
export class Api {
  readonly app: FastifyInstance;
  readonly context: ControlContext;
  now = START;
  wakes = 0;
  readonly #folder: string;
  #url = '';

  private constructor(folder: string, context: Omit<ControlContext, 'clock' | 'tenantLog'>) {
    this.#folder = folder;
    this.context = { ...context, clock: () => this.now, tenantLog: { wake: () => void this.wakes++ } };
    this.app = fastify(serverOptions(context.config, context.logger));
    installHttp(this.app, context.metrics.httpRequestEnded);
    registerRoutes(this.app, [...enrolmentRoutes(this.context), ...controlRoutes(this.context)], {
      gate: adminGate(context.registry, context.config.adminToken, this.context.clock),
      trustedProxies: context.config.trustedProxies,
    });
  }

  /** `wrap` puts faults between it and its registry. */
  static async open(
    env: { readonly [name: string]: string } = {},
    wrap: (registry: Registry) => Registry = (registry) => registry,
  ): Promise<Api> {
    const folder = mkdtempSync(join(tmpdir(), 'tachograph-api-'));
    const config = need(
      loadConfig({ AUTHORITY, ADMIN_TOKEN, TRUSTED_PROXIES: '127.0.0.1', DATA_DIR: folder, ...env }),
    );
    const context = await contextOf(folder, config);
    const api = new Api(folder, { ...context, registry: wrap(context.registry) });
    api.#url = await api.app.listen({ host: '127.0.0.1', port: 0 });
    return api;
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.context.registry.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async tenant(id: string, parent: string | null = null): Promise<void> {
    need(await createTenant(this.context, { id, name: id, parent }, null));
  }

  async adminToken(tenant: string | null): Promise<string> {
    const { token } = await createAdminToken(this.context.registry.db, { tenant, now: this.now });
    return token.reveal();
  }

  /** Calls the control API, as the administrator of all unless another token is given. */
  async admin(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, token = ADMIN_TOKEN) {
    return this.call(method, `/admin/v1${path}`, body, { authorization: `Bearer ${token}` });
  }

  async call(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: object,
    headers: { readonly [name: string]: string } = {},
  ): Promise<Reply> {
    const reply = await this.fetch(method, url, body, headers);
    return { status: reply.status, body: (await reply.json()) as Reply['body'] };
  }

  fetch(
    method: string,
    url: string,
    body?: object,
    headers: { readonly [name: string]: string } = {},
  ): Promise<Response> {
    const json = { ...headers, 'content-type': 'application/json' };
    const content = body === undefined ? { headers } : { headers: json, body: JSON.stringify(body) };
    return fetch(`${this.#url}${url}`, { method, ...content });
  }

  /** An enrolment token, as an administrator makes it. */
  async enrolmentToken(tenant: string, options: object = {}): Promise<string> {
    const body = { uses: 1, expiresInSeconds: 3600, ...options };
    const reply = await this.admin('POST', `/tenants/${tenant}/enrolment-tokens`, body);
    return String(reply.body['token']);
  }

  async challenge(tenant: string): Promise<string> {
    return String((await this.call('GET', `/v1/enrolment/${tenant}`)).body['challenge']);
  }

  /** The body by which `device` enrols; `statement` replaces what its proof says. */
  async enrolment(
    device: TestDevice,
    credential: { type: 'token'; token: string } | { type: 'predecessor'; succession: string },
    options: { statement?: Partial<EnrolmentStatement>; signer?: TestDevice; installation?: object } = {},
  ): Promise<object> {
    const sent = credential.type === 'token' ? credential.token : credential.succession;
    const statement: EnrolmentStatement = {
      origin: device.origin,
      challenge: options.statement?.challenge ?? (await this.challenge(device.tenant)),
      credentialHash: createHash('sha256').update(sent).digest('hex'),
      ...options.statement,
    };
    return {
      publicKey: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(device.publicKey) },
      proof: await signStatement(ENROLMENT_NOTE, statement, (options.signer ?? device).signer),
      credential,
      ...(options.installation === undefined ? {} : { installation: options.installation }),
    };
  }

  async enrol(
    device: TestDevice,
    token: string,
    options: Parameters<Api['enrolment']>[2] & { from?: string } = {},
  ): Promise<Reply> {
    return this.send(device, await this.enrolment(device, { type: 'token', token }, options), options.from);
  }

  /** Posts an enrolment, as if it came from the address `from` through the trusted proxy. */
  send(device: TestDevice, body: object, from?: string): Promise<Reply> {
    const headers: { [name: string]: string } = from === undefined ? {} : { 'x-forwarded-for': from };
    return this.call('POST', `/v1/enrolment/${device.tenant}`, body, headers);
  }

  /** The credential by which `next` goes on in the place of `old`. */
  async succeed(
    old: TestDevice,
    next: TestDevice,
    signer = old,
  ): Promise<{ type: 'predecessor'; succession: string }> {
    const statement: SuccessionStatement = { oldOrigin: old.origin, newOrigin: next.origin, reason: 'fork' };
    return {
      type: 'predecessor',
      succession: await signStatement(SUCCESSION_NOTE, statement, signer.signer),
    };
  }

  /** A device of `tenant` that is enrolled by a token of its own. */
  async enrolled(tenant: string, tokenOptions: object = {}): Promise<TestDevice> {
    const device = await TestDevice.create(AUTHORITY, tenant);
    const reply = await this.enrol(device, await this.enrolmentToken(tenant, tokenOptions));
    if (reply.status !== 201) throw new Error(JSON.stringify(reply.body));
    return device;
  }

  /** The events of a tenant's own log so far, each of which is a valid leaf. */
  async events(tenant: string) {
    const rows = await this.context.registry.db
      .selectFrom('outbox')
      .select('leaf')
      .where('tenant', '=', tenant)
      .orderBy('leaf_index')
      .execute();
    return rows.map(({ leaf }) => need(parseLeaf(leaf, { ofTenantLog: true })));
  }

  async actions(tenant: string): Promise<string[]> {
    return (await this.events(tenant)).map(({ action }) => action);
  }

  async deviceRow(device: TestDevice) {
    return this.context.registry.db
      .selectFrom('devices')
      .selectAll()
      .where('tenant', '=', device.tenant)
      .where('device', '=', device.device)
      .executeTakeFirst();
  }
}

/** Made once for a file of tests: they cost a dozen syncs to disk, and no test here changes them. */
let keysOnce: ReturnType<typeof makeKeys> | null = null;

async function makeKeys({ authority }: IngestConfig) {
  const folder = mkdtempSync(join(tmpdir(), 'tachograph-api-keys-'));
  need(await createKeys(folder, authority));
  const keys = need(await loadIngestKeys(folder, authority));
  const directive = need(await loadDirectiveKeys(folder, authority));
  rmSync(folder, { recursive: true });
  return { keys, directives: directive, exposures: { catchUp: async () => true, isWhole: async () => true } };
}

async function contextOf(folder: string, config: IngestConfig) {
  keysOnce ??= makeKeys(config);
  return {
    config,
    registry: await openSqliteRegistry(join(folder, 'registry.sqlite')),
    ...(await keysOnce),
    logger: pino({ level: 'silent' }),
    metrics: createMetrics({ withProcess: false }),
  };
}

export function need<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(`${parsed.fault.code}: ${parsed.fault.detail}`);
  return parsed.value;
}

/** A refusal of an enrolment, which is also the newest event of the tenant's log. */
export async function refusedInLog(
  api: Api,
  tenant: string,
  code: string,
  pending: Promise<Reply>,
): Promise<Reply> {
  const reply = await pending;
  expect(reply).toMatchObject({ status: 403, body: { code } });
  expect((await api.events(tenant)).at(-1)).toMatchObject({
    action: 'device.enrolment_refused',
    outcome: 'failure',
    data: { code },
  });
  return reply;
}
