import type { BufferConfig } from '@tachograph/client-buffer';
import {
  beginRotation,
  endRotation,
  loadDirectiveKeys,
  loadIngestKeys,
  type RotatingKey,
} from '@tachograph/ingest';
import { parseAuthority, type Parsed } from '@tachograph/wire';
import type { HttpAnswer, HttpRequest, Transport } from '../../packages/client-buffer/src/transport.ts';
import { AppCache } from '../../packages/client-buffer/test/support/app-cache.ts';
import {
  makeWorld,
  type FakeClock,
  type TestBuffer,
} from '../../packages/client-buffer/test/support/harness.ts';
import {
  AUTHORITY,
  Harness,
  TENANT,
  type AnswerBody,
  type Node,
} from '../../packages/ingest/test/harness.ts';

export { record, until } from '../../packages/client-buffer/test/support/harness.ts';
export { AUTHORITY } from '../../packages/ingest/test/harness.ts';

/** Whose devices they all are. */
export const SUBJECT = 'ana@acme.example';

/** What an answer that verified as JSON becomes on its way to the device. */
export type Change = (body: AnswerBody, request: HttpRequest) => AnswerBody | Promise<AnswerBody>;

/** One device: the library as it is, its app's cache, and what it has sent. */
export type Victim = {
  readonly audit: TestBuffer;
  readonly app: AppCache;
  readonly road: Road;
  readonly clock: FakeClock;
  readonly device: string;
  readonly origin: string;
};

/** From one device to the nodes. Whoever holds it reads everything, and may answer as they like. */
class Road implements Transport {
  /** Appends and check-ins as the device sent them, oldest first. */
  readonly sent: HttpRequest[] = [];
  /** What the nodes answered to them. */
  readonly answers: AnswerBody[] = [];
  /** Answers appends in the place of the nodes, which hear nothing of them; `null` lets one pass. */
  intercept: (request: HttpRequest) => HttpAnswer | null | Promise<HttpAnswer | null> = () => null;
  /** What becomes of the answers to appends. */
  change: Change = (body) => body;
  /** What becomes of the answer to `GET /v1/keys`. */
  changeKeys: (body: object) => object = (body) => body;
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  honest(): void {
    this.intercept = () => null;
    this.change = (body) => body;
    this.changeKeys = (body) => body;
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const isAppend = /^\/v1\/logs\/[^/]+\/[^/]+$/.test(request.path);
    if (!isAppend) return this.#other(request);
    this.sent.push(request);
    const instead = await this.intercept(request);
    if (instead !== null) return instead;
    const answer = await this.#deployment.forward(request);
    if (answer.kind === 'failure') return answer;
    const body = JSON.parse(answer.body) as AnswerBody;
    this.answers.push(body);
    return { ...answer, body: JSON.stringify(await this.change(body, request)) };
  }

  async #other(request: HttpRequest): Promise<HttpAnswer> {
    const answer = await this.#deployment.forward(request);
    if (answer.kind === 'failure' || request.path !== '/v1/keys') return answer;
    return { ...answer, body: JSON.stringify(this.changeKeys(JSON.parse(answer.body) as object)) };
  }
}

/** Ingest and control as they are, and devices with the library as it is, all under one clock that stands until it is moved. */
export class Deployment {
  readonly harness: Harness;
  node: Node;

  private constructor(harness: Harness, node: Node) {
    this.harness = harness;
    this.node = node;
  }

  static async start(): Promise<Deployment> {
    const harness = await Harness.create();
    return new Deployment(harness, await harness.node());
  }

  close(): Promise<void> {
    return this.harness.close();
  }

  /** Lets time go by for everybody. */
  advance(ms: number, ...clocks: readonly FakeClock[]): void {
    this.harness.now += ms;
    for (const clock of clocks) clock.advance(ms);
  }

  /** Passes a request on to the nodes, as it is. */
  async forward({ method, path, contentType, body }: HttpRequest): Promise<HttpAnswer> {
    const reply = await fetch(`${this.node.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { headers: { 'content-type': contentType } }),
    });
    const retryAfter = reply.headers.get('retry-after');
    return { kind: 'answer', status: reply.status, retryAfter, body: await reply.text() };
  }

  /** Calls the control API, which must do as it is told. */
  async admin(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
  ): Promise<{ readonly [name: string]: unknown }> {
    const answer = await this.node.admin(method, `/tenants/${TENANT}${path}`, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Orders a device to destroy its whole cache. */
  async revoke(device: string): Promise<void> {
    await this.admin('POST', `/devices/${device}/revoke`, { reason: 'left the company', purge: ['*'] });
  }

  /** Takes one step of a rotation, and restarts the server as the operator is told to. */
  async rotate(key: RotatingKey, step: 'begin' | 'finish'): Promise<void> {
    const { harness } = this;
    const authority = need(parseAuthority(AUTHORITY));
    await this.node.close();
    need(await (step === 'begin' ? beginRotation : endRotation)(harness.folder, authority, key));
    harness.keys = need(await loadIngestKeys(harness.folder, authority));
    harness.directives = need(await loadDirectiveKeys(harness.folder, authority));
    await this.restart();
  }

  async restart(): Promise<void> {
    await this.node.close();
    this.node = await this.harness.node();
  }

  /** A device that enrolled by a token, has its lease, and has cached something under its scope. */
  async victim(config: Partial<BufferConfig> = {}): Promise<Victim> {
    const world = await makeWorld();
    const { clock } = world;
    clock.wall = this.harness.now;
    const app = new AppCache();
    const road = new Road(this);
    const pinned = { directiveKey: this.harness.keys.directiveKey };
    const audit = world.open({ ...pinned, ...config, transport: road, cache: app.hooks });
    const terms = { uses: 1, expiresInSeconds: 600, subject: SUBJECT };
    const { token } = await this.admin('POST', '/enrolment-tokens', terms);
    await audit.enrol({ type: 'token', token: String(token) });
    await audit.flush();
    app.fill();
    const access = await audit.cacheKey({ scope: 'v_1' });
    if (!access.allowed) throw new Error(`no lease: ${access.reason}`);
    const origin = audit.status().origin!;
    return { audit, app, road, clock, origin, device: origin.slice(origin.lastIndexOf('/') + 1) };
  }
}

export function need<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(`${parsed.fault.code}: ${parsed.fault.detail}`);
  return parsed.value;
}
