import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Fault } from '@tachograph/wire';
import { observedAddress, senderOf, type Network } from '../core/network.ts';
import { bearerOf } from './bearer.ts';
import { BodyBudget, type BodyClaim } from './body-budget.ts';
import { allowAnyOrigin, registerPreflight } from './cors.ts';
import { readJsonText } from './json-body.ts';
import { sendProblem } from './problem.ts';
import type { AdminGrant, Answer, Route, RouteMethod } from './route.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the gate of a route that asks for an administrator. */
    admin: AdminGrant | null;
    /** What this request may hold of its body. Given back when its answer is out, or its connection gone. */
    bodyClaim: BodyClaim;
  }
}

/** Decides who may call what. */
export type Gate = {
  readonly authenticate: (token: string) => Promise<AdminGrant | null>;
  /** Whether the grant reaches the tenant; a tenant that does not exist is reached only by a grant for all. */
  readonly reaches: (grant: AdminGrant, tenant: string) => Promise<boolean>;
};

export type RegisterOptions = {
  readonly gate: Gate;
  readonly trustedProxies: readonly Network[];
  readonly bodies?: BodyBudget;
};

/** The media types of an append. The first needs no preflight in a browser. */
export const APPEND_MEDIA_TYPES = ['text/plain', 'application/vnd.tachograph.append'] as const;

/**
 * Serves `routes`. Call it once for an app: what it sets (body parsers, `request.admin`, `request.bodyClaim`) is the
 * app's own.
 */
export function registerRoutes(
  app: FastifyInstance,
  routes: readonly Route[],
  options: RegisterOptions,
): void {
  app.decorateRequest('admin', null);
  claimBodies(app, options);
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', (request, payload, parsed) => {
    readJsonText(payload, request.bodyClaim).then((text) => parseJson(request, text, parsed), parsed);
  });
  for (const route of routes) if (route.body !== 'append') registerRoute(app, route, options);
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    // The handler reads the stream itself: it must never be buffered before its limits are known to hold.
    scope.addContentTypeParser([...APPEND_MEDIA_TYPES], (_request, payload, parsed) => parsed(null, payload));
    for (const route of routes) if (route.body === 'append') registerRoute(scope, route, options);
    done();
  });
  for (const [url, methods] of methodsByUrl(routes.filter(isOpenToOrigins)))
    registerPreflight(app, url, methods);
}

/** Every request gets a claim, also one for which there is no route: its body is parsed before that is found out. */
function claimBodies(
  app: FastifyInstance,
  { trustedProxies, bodies = new BodyBudget() }: RegisterOptions,
): void {
  app.decorateRequest('bodyClaim');
  app.addHook('onRequest', async (request, reply) => {
    const claim = bodies.open(senderOf(addressOf(request, trustedProxies)));
    request.bodyClaim = claim;
    reply.raw.once('close', claim.release);
  });
}

function addressOf(request: FastifyRequest, trustedProxies: readonly Network[]): string {
  return observedAddress(request.ip, forwardedFor(request), trustedProxies);
}

/** `/v1/keys/{id}` as Fastify writes it: `/v1/keys/:id`. */
function urlOf(route: Route): string {
  return route.path.replaceAll(/\{([a-zA-Z]+)\}/g, ':$1');
}

/** Only what devices call: no foreign page has business with the control API or the metrics. */
function isOpenToOrigins(route: Route): boolean {
  return route.path.startsWith('/v1/');
}

function methodsByUrl(routes: readonly Route[]): Map<string, RouteMethod[]> {
  const methods = new Map<string, RouteMethod[]>();
  for (const route of routes) methods.set(urlOf(route), [...(methods.get(urlOf(route)) ?? []), route.method]);
  return methods;
}

function registerRoute(app: FastifyInstance, route: Route, { gate, trustedProxies }: RegisterOptions): void {
  const openToOrigins = isOpenToOrigins(route);
  app.route({
    method: route.method,
    url: urlOf(route),
    // Before the body is read: what may not be asked is not parsed.
    onRequest: async (request, reply) => {
      if (openToOrigins) allowAnyOrigin(reply);
      const fault = await admit(route, request, gate);
      if (fault !== null) return sendProblem(reply, fault);
      return undefined;
    },
    handler: async (request, reply) => {
      const parts = parseParts(route, request);
      if (!parts.ok) return sendProblem(reply, parts.fault);
      const address = addressOf(request, trustedProxies);
      const answer = await route.handle({ ...parts.value, address, admin: request.admin, request });
      return send(reply, answer, route);
    },
  });
}

async function admit(route: Route, request: FastifyRequest, gate: Gate): Promise<Fault | null> {
  if (route.access === 'public' || route.access === 'device') return null;
  const token = bearerOf(request.headers.authorization);
  const grant = token === null ? null : await gate.authenticate(token);
  if (grant === null)
    return { code: 'ERR_UNAUTHENTICATED', detail: 'send "Authorization: Bearer <administrator token>"' };
  request.admin = grant;
  if (route.access === 'admin-all') {
    return grant.tenant === null
      ? null
      : { code: 'ERR_FORBIDDEN', detail: 'this takes a token that reaches every tenant' };
  }
  const { tenant } = request.params as { tenant?: string };
  if (tenant === undefined || (await gate.reaches(grant, tenant))) return null;
  return { code: 'ERR_FORBIDDEN', detail: 'the token does not reach this tenant' };
}

type Parts = { readonly params: unknown; readonly query: unknown; readonly body: unknown };

function parseParts(
  route: Route,
  request: FastifyRequest,
): { ok: true; value: Parts } | { ok: false; fault: Fault } {
  const value: { [part: string]: unknown } = { params: undefined, query: undefined, body: undefined };
  const parts = [
    ['params', route.params, request.params],
    ['query', route.query, request.query],
    ['body', route.body === 'append' ? null : route.body, request.body ?? {}],
  ] as const;
  for (const [name, schema, source] of parts) {
    if (schema === null) continue;
    const parsed = schema.safeParse(source);
    if (!parsed.success) return { ok: false, fault: requestFault(parsed.error, name) };
    value[name] = parsed.data;
  }
  return { ok: true, value: { params: value['params'], query: value['query'], body: value['body'] } };
}

/** Names what is wrong, and never repeats what was sent. */
function requestFault(error: z.ZodError, part: string): Fault {
  const [issue] = error.issues;
  const field = issue?.path.join('.') || part;
  const detail = error.issues
    .slice(0, 8)
    .map(({ path, message }) => `${path.join('.') || part}: ${message}`)
    .join('; ');
  return { code: part === 'params' ? 'ERR_NAME' : 'ERR_REQUEST', detail: detail.slice(0, 1000), field };
}

/** Several `X-Forwarded-For` headers are one list (RFC 9110, section 5.3); Node joins them with commas. */
function forwardedFor(request: FastifyRequest): string | undefined {
  const value = request.headers['x-forwarded-for'];
  return Array.isArray(value) ? value.join(',') : value;
}

function send(reply: FastifyReply, answer: Answer, route: Route): FastifyReply {
  if ('fault' in answer) return sendProblem(reply, answer.fault, answer.extras);
  const published = route.answers[answer.status];
  if (published === undefined)
    throw new Error(`${route.operationId} answers ${answer.status}, which it does not publish`);
  if (answer.headers !== undefined) void reply.headers(answer.headers);
  return reply
    .code(answer.status)
    .type(published.mediaType ?? 'application/json; charset=utf-8')
    .send(answer.body);
}
