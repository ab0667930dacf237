import { existsSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { Ingest } from '@tachograph/ingest';
import { addDemoApi, type DemoApiOptions } from './demo-api.ts';

export type DemoOptions = DemoApiOptions & {
  /** Only requests that name this machine are answered. */
  readonly loopbackOnly: boolean;
};

/** The built web pages, beside this package in the workspace. */
const PAGES = fileURLToPath(new URL('../../../console/dist/', import.meta.url));
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** Everything that the pages load comes from this server; nothing of them is inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Whether the pages have been built. */
export function demoPagesBuilt(): boolean {
  return existsSync(`${PAGES}index.html`);
}

/** Serves the demo at `/demo/`: its pages, and what they ask beside the device API. */
export async function serveDemo(app: Ingest['app'], options: DemoOptions): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      void reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
      // A foreign page can point its own name at 127.0.0.1, but not send ours.
      if (options.loopbackOnly && !LOOPBACK_HOST.test(request.headers.host ?? '')) {
        return reply.code(421).type('text/plain').send('The demo answers to localhost only.\n');
      }
      // Nor does it act for one that calls us by our own name: browsers say who makes them post.
      if (request.method === 'POST' && !isOwnPage(request.headers))
        return reply.code(403).type('text/plain').send('The demo acts for its own page only.\n');
      return undefined;
    });
    if (demoPagesBuilt())
      await scope.register(fastifyStatic, {
        root: PAGES,
        prefix: '/demo/',
        redirect: true,
        index: ['index.html'],
      });
    addDemoApi(scope, options);
  });
  app.get('/demo', async (_request, reply) => reply.redirect('/demo/'));
  app.get('/', async (_request, reply) => reply.redirect('/demo/'));
}

/** Whether a request is by a page of this server, or by no page at all. */
function isOwnPage({ origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
