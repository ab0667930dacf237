import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { Ingest } from '@tachograph/ingest';
import { readExportTail } from '@tachograph/siem-export';

export type DemoOptions = {
  readonly authority: string;
  readonly tenant: string;
  readonly directiveKey: string;
  readonly exportDir: string;
  /** Makes a token that lets one browser in. */
  readonly enrolmentToken: () => Promise<string>;
  /** Only requests that name this machine are answered. */
  readonly loopbackOnly: boolean;
};

/** The built web pages, beside this package in the workspace. */
const PAGES = fileURLToPath(new URL('../../../console/dist/', import.meta.url));
const LINES_MAX = 200;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** Everything that the pages load comes from this server; nothing of them is inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Whether the pages have been built. */
export function demoPagesBuilt(): boolean {
  return existsSync(`${PAGES}index.html`);
}

/**
 * Serves the demo at `/demo/`: its pages, whom they write to (`api/config`), a token that lets a browser in
 * (`api/enrolment-token`) and the end of the feed (`api/export`). Whoever reaches these gets in, which is why they are for this machine only.
 */
export async function serveDemo(app: Ingest['app'], options: DemoOptions): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      void reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
      // A foreign page can point its own name at 127.0.0.1, but not send ours.
      if (options.loopbackOnly && !LOOPBACK_HOST.test(request.headers.host ?? '')) {
        return reply.code(421).type('text/plain').send('The demo answers to localhost only.\n');
      }
      return undefined;
    });
    if (demoPagesBuilt())
      await scope.register(fastifyStatic, {
        root: PAGES,
        prefix: '/demo/',
        redirect: true,
        index: ['index.html'],
      });
    scope.get('/demo/api/config', async () => ({
      authority: options.authority,
      tenant: options.tenant,
      directiveKey: options.directiveKey,
    }));
    // Apart from the configuration, which every page load asks for: only who is not enrolled makes a token.
    scope.post('/demo/api/enrolment-token', async () => ({ token: await options.enrolmentToken() }));
    scope.get('/demo/api/export', async () => ({
      lines: await readExportTail(options.exportDir, LINES_MAX),
    }));
  });
  app.get('/demo', async (_request, reply) => reply.redirect('/demo/'));
  app.get('/', async (_request, reply) => reply.redirect('/demo/'));
}
