import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { LogController, type FastifyBaseLogger, type FastifyHttpOptions } from 'fastify';
import type { Fault } from '@tachograph/wire';
import { handleError, problemOf, PROBLEM_MEDIA_TYPE } from './problem.ts';

/** How often Node looks for connections that are past their time: the precision of the timeouts. */
const TIMEOUT_CHECK_MS = 1000;

/** How long the peer of a connection that is being closed has to read the answer. */
const LINGER_MS = 1000;

/**
 * What the server must be made with: bounds on how slowly a request may arrive, ids, and problem+json also for
 * what is no HTTP.
 */
export function serverOptions(
  config: { readonly headersTimeoutMs: number; readonly requestTimeoutMs: number },
  logger: FastifyBaseLogger,
) {
  return {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request' }),
    // An id from outside could repeat, or forge, a line of the log.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    // Whose address is believed is decided in one place, `observedAddress`.
    trustProxy: false,
    requestTimeout: config.requestTimeoutMs,
    http: {
      headersTimeout: config.headersTimeoutMs,
      requestTimeout: config.requestTimeoutMs,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    routerOptions: { maxParamLength: 256 },
    // What fails before there is a route: an address that cannot be decoded, for one.
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply),
    clientErrorHandler: answerClientError,
  } satisfies FastifyHttpOptions<Server>;
}

/** Answers bytes that are no request, or one that did not arrive in time, and closes the connection. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const fault: Fault =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? { code: 'ERR_TIMEOUT', detail: 'the request did not arrive within its time' }
      : { code: 'ERR_REQUEST', detail: 'this is no HTTP request that is understood here' };
  const problem = problemOf(fault);
  const body = JSON.stringify(problem);
  const status = problem.status === 408 ? '408 Request Timeout' : '400 Bad Request';
  const head = [
    `HTTP/1.1 ${status}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (!socket.writable) {
    socket.destroy(error);
    return;
  }
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Node keeps a connection open until its peer ends it, too: one that never does would hold it for ever.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
