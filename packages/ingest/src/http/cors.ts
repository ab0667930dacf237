import type { FastifyInstance, FastifyReply } from 'fastify';
import type { RouteMethod } from './route.ts';

const PREFLIGHT_SECONDS = 86_400;

/**
 * Lets any origin read the answers of the device API, without credentials: a device's signature is its
 * credential, so no cookie is ever of use to a foreign page. The append itself needs no preflight; enrolment,
 * whose body is JSON, has one.
 */
export function allowAnyOrigin(reply: FastifyReply): void {
  void reply.headers({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Retry-After',
  });
}

/** Answers preflights of `url` (as Fastify writes it). */
export function registerPreflight(app: FastifyInstance, url: string, methods: readonly RouteMethod[]): void {
  app.options(url, (_request, reply) => {
    allowAnyOrigin(reply);
    return reply
      .headers({
        'access-control-allow-methods': methods.join(', '),
        'access-control-allow-headers': 'Content-Type, Authorization',
        'access-control-max-age': String(PREFLIGHT_SECONDS),
      })
      .code(204)
      .send();
  });
}
