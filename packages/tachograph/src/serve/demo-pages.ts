import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { Ingest } from '@tachograph/ingest';
import { addDemoApi, type DemoApiOptions } from './demo-api.ts';
import { demoRefusal } from './demo-guard.ts';

export type DemoOptions = DemoApiOptions & {
  /** Only requests that name this machine are answered. */
  readonly loopbackOnly: boolean;
};

/** The built web pages, beside this package in the workspace. */
const PAGES = fileURLToPath(new URL('../../../console/dist/', import.meta.url));

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
      const refused = demoRefusal(request, options.loopbackOnly);
      if (refused !== null) return reply.code(refused.status).type('text/plain').send(refused.text);
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
