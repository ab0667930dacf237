import type { FastifyInstance } from 'fastify';
import { handleError, handleNotFound } from './problem.ts';

/** What is seen of each request: no path and no address, which would be labels without bound. */
export type RequestObserver = (method: string, route: string, status: number, seconds: number) => void;

/** Sets what every route of `app` shares: problem+json for failures, safe headers, a line and a figure each. */
export function installHttp(app: FastifyInstance, observe: RequestObserver): void {
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(handleNotFound);
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  });
  app.addHook('onSend', async (request, reply) => {
    // Of a body that was refused half-way nobody reads the rest: kept open, its connection would wait for ever.
    if (request.raw.readableDidRead && !request.raw.complete) void reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    observe(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    request.log.debug(
      {
        method: request.method,
        route,
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request.answered',
    );
  });
}
