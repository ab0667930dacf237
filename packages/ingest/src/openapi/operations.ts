import { z } from 'zod';
import type { Fault } from '@tachograph/wire';
import { route, type Route } from '../http/route.ts';
import type { IngestMetrics } from '../metrics.ts';
import { openapiDocument } from './document.ts';

export type OperationsPorts = {
  readonly metrics: IngestMetrics;
  /** Why requests should go to another node for now, or `null`. */
  readonly notReadyBecause: () => Promise<Fault | null>;
};

const status = z.object({ status: z.literal('ok') });

/**
 * `routes` with the routes of operations behind them: health, figures, and the description of all of them,
 * themselves included.
 */
export function withOperations(routes: readonly Route[], ports: OperationsPorts): Route[] {
  const all: Route[] = [...routes, livezRoute(), readyzRoute(ports), metricsRoute(ports)];
  let document: unknown = null;
  all.push(
    route({
      method: 'GET',
      path: '/openapi.json',
      operationId: 'getOpenapi',
      tag: 'operations',
      summary: 'This description.',
      access: 'public',
      answers: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) } },
      handle: async () => {
        document ??= openapiDocument(all);
        return { status: 200, body: document };
      },
    }),
  );
  return all;
}

function livezRoute(): Route {
  return route({
    method: 'GET',
    path: '/livez',
    operationId: 'getLivez',
    tag: 'operations',
    summary: 'Whether the process answers at all. A supervisor that gets no answer starts it anew.',
    access: 'public',
    answers: { 200: { description: 'It does', schema: status } },
    handle: async () => ({ status: 200, body: { status: 'ok' } }),
  });
}

function readyzRoute({ notReadyBecause }: OperationsPorts): Route {
  return route({
    method: 'GET',
    path: '/readyz',
    operationId: 'getReadyz',
    tag: 'operations',
    summary: 'Whether this node should be sent requests.',
    access: 'public',
    answers: { 200: { description: 'It should', schema: status } },
    errors: ['ERR_LOG_UNAVAILABLE', 'ERR_LOG_TRUNCATED', 'ERR_REGISTRY_UNAVAILABLE', 'ERR_SHUTTING_DOWN'],
    handle: async () => {
      const fault = await notReadyBecause();
      return fault === null ? { status: 200, body: { status: 'ok' } } : { fault };
    },
  });
}

function metricsRoute({ metrics }: OperationsPorts): Route {
  return route({
    method: 'GET',
    path: '/metrics',
    operationId: 'getMetrics',
    tag: 'operations',
    summary: 'Figures for Prometheus.',
    access: 'public',
    answers: {
      200: {
        description: 'Prometheus text format',
        schema: null,
        mediaType: 'text/plain; version=0.0.4; charset=utf-8',
      },
    },
    handle: async () => ({ status: 200, body: await metrics.exposition() }),
  });
}
