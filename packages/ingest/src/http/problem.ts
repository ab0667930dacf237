import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, type ErrorCode, type Fault } from '@tachograph/wire';
import { REGISTRY_UNAVAILABLE, RegistryUnavailableError } from '../registry/unavailable.ts';
import { NO_ROOM_RETRY_SECONDS } from './body-budget.ts';
import { RefusedBody } from './json-body.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** Members that an answer adds to a problem: `size` and `checkpoint` of a 409, for one. */
export type ProblemExtras = { readonly [name: string]: unknown };

/** The body of every answer that is an error (RFC 9457). */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly field?: string;
  readonly limit?: number;
  readonly [name: string]: unknown;
};

/** The problem that a fault is, by its row in the table. A code that never crosses HTTP is a bug here: 500. */
export function problemOf(fault: Fault, extras: ProblemExtras = {}): Problem {
  const row = ERRORS[fault.code];
  if (row.status === 0) return problemOf({ code: 'ERR_INTERNAL', detail: ERRORS.ERR_INTERNAL.meaning });
  const { code, detail, ...where } = fault;
  return {
    ...extras,
    // "type" is an identifier, not an address: it stays the same wherever this is served.
    type: `urn:tachograph:error:${code}`,
    title: row.title,
    status: row.status,
    code,
    detail,
    ...where,
  };
}

/** Sends a fault as `application/problem+json`; `retryAfterSeconds` among the extras is a header as well. */
export function sendProblem(reply: FastifyReply, fault: Fault, extras: ProblemExtras = {}): FastifyReply {
  const problem = problemOf(fault, extras);
  const wait = problem['retryAfterSeconds'];
  if (typeof wait === 'number') void reply.header('retry-after', String(Math.ceil(wait)));
  return reply
    .code(problem.status)
    .header('content-type', PROBLEM_MEDIA_TYPE)
    .serializer(JSON.stringify)
    .send(problem);
}

/** How Fastify's own refusals are called here. What is not listed is a bug of ours. */
const FASTIFY_CODES: { readonly [code: string]: ErrorCode } = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'ERR_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'ERR_BODY_TOO_LARGE',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'ERR_REQUEST',
  FST_ERR_CTP_INVALID_JSON_BODY: 'ERR_REQUEST',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'ERR_REQUEST',
  FST_ERR_BAD_URL: 'ERR_REQUEST',
  FST_ERR_MAX_PARAM_LENGTH: 'ERR_NOT_FOUND',
};

/** Seconds until another try at a registry that could not serve. */
export const REGISTRY_RETRY_SECONDS = 5;

/** Answers what was thrown: a refusal by Fastify, or a bug, whose text stays in the log. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const code = codeOf(error);
  if (code === 'ECONNRESET' && !request.raw.complete) {
    // Phones lose their network in the middle of a request every day: no bug, and nobody reads this answer.
    request.log.debug({ route: request.routeOptions.url }, 'request.aborted');
    return sendProblem(reply, { code: 'ERR_REQUEST', detail: 'the connection ended before the request did' });
  }
  if (error instanceof RefusedBody) {
    const extras = error.fault.code === 'ERR_OVERLOADED' ? { retryAfterSeconds: NO_ROOM_RETRY_SECONDS } : {};
    return sendProblem(reply, error.fault, extras);
  }
  if (error instanceof RegistryUnavailableError) {
    request.log.error({ err: error, route: request.routeOptions.url }, 'registry.unavailable');
    return sendProblem(reply, REGISTRY_UNAVAILABLE, { retryAfterSeconds: REGISTRY_RETRY_SECONDS });
  }
  const known = FASTIFY_CODES[code];
  // The JSON parser quotes the body in its message: say nothing but the meaning.
  if (known !== undefined) return sendProblem(reply, { code: known, detail: ERRORS[known].meaning });
  request.log.error({ err: error, route: request.routeOptions.url }, 'request.failed');
  const detail = `${ERRORS.ERR_INTERNAL.meaning} Request id: ${request.id}.`;
  return sendProblem(reply, { code: 'ERR_INTERNAL', detail });
}

export function handleNotFound(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, { code: 'ERR_NOT_FOUND', detail: ERRORS.ERR_NOT_FOUND.meaning });
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
