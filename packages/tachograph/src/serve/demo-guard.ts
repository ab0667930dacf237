import type { IncomingHttpHeaders } from 'node:http';

type Refusal = { readonly status: number; readonly text: string };

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;
const FORWARDING_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** Why the demo does nothing for a request, or `null`. `loopbackOnly`: only requests of this machine are answered. */
export function demoRefusal(
  { method, headers }: { readonly method: string; readonly headers: IncomingHttpHeaders },
  loopbackOnly: boolean,
): Refusal | null {
  // A foreign page can point its own name at 127.0.0.1, but not send ours.
  if (loopbackOnly && !LOOPBACK_HOST.test(headers.host ?? '')) {
    return { status: 421, text: 'The demo answers to localhost only.\n' };
  }
  // A proxy may call us by that name on behalf of anybody.
  if (loopbackOnly && FORWARDING_HEADERS.some((name) => headers[name] !== undefined)) {
    return { status: 403, text: 'The demo is for this machine only: set DEMO=off behind a proxy.\n' };
  }
  // Nor does it act for a page that calls us by our own name: browsers say who makes them post.
  if (method === 'POST' && !isOwnPage(headers)) {
    return { status: 403, text: 'The demo acts for its own page only.\n' };
  }
  return null;
}

/** Whether a request is by a page of this server, or by no page at all. */
function isOwnPage({ origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
