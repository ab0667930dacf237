import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bytes } from '@tachograph/wire';

/** A request as the proxy saw it. */
export type Seen = { readonly method: string; readonly path: string; readonly body: Bytes };

/** An answer that the proxy gives in the place of the server. */
export type StandIn = {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body: string;
};

/** What happens to an exchange. */
export type Fault =
  /** The server gets the request; its answer is lost with the connection. */
  | { readonly kind: 'swallow' }
  /** The server gets the request; half of its answer's body comes through. */
  | { readonly kind: 'cut' }
  /** The server gets the request; its answer stays under way until the client gives up. */
  | { readonly kind: 'hold' }
  /** The server gets nothing; somebody else answers. */
  | { readonly kind: 'answer'; readonly make: (seen: Seen) => StandIn | Promise<StandIn> };

/** The same answer to whatever is asked. */
export function fixed(
  status: number,
  body: string,
  headers: StandIn['headers'] = { 'content-type': 'text/html' },
): Fault {
  return { kind: 'answer', make: () => ({ status, body, headers }) };
}

export type FlakyProxy = {
  readonly url: string;
  /** From now on requests that match (`POST /v1/…`) meet `fault`, the first `times` of them. */
  readonly fail: (match: RegExp, fault: Fault, times?: number) => void;
  /** The network is good again. */
  readonly heal: () => void;
  /** How many requests have met a fault since `fail`. */
  readonly hits: () => number;
  readonly close: () => Promise<void>;
};

type Upstream = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Bytes };

/** An HTTP proxy in front of a server on loopback, which loses and forges answers as networks do. */
export async function flakyProxy(target: { readonly port: number }): Promise<FlakyProxy> {
  let rule: { readonly match: RegExp; readonly fault: Fault; left: number } | null = null;
  let hits = 0;
  const server = createServer((incoming, outgoing) => {
    exchange(incoming, outgoing).catch((error: unknown) => {
      outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });

  async function exchange(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = incoming;
    const seen = { method, path, body: await readAll(incoming) };
    const fault = faultOf(`${method} ${path}`);
    if (fault?.kind === 'answer') {
      const { status, headers = {}, body } = await fault.make(seen);
      outgoing.writeHead(status, headers).end(body);
      return;
    }
    const answer = await forward(target.port, seen, incoming.headers);
    passOn(answer, fault?.kind ?? null, outgoing);
  }

  function faultOf(line: string): Fault | null {
    if (rule === null || rule.left <= 0 || !rule.match.test(line)) return null;
    rule.left--;
    hits++;
    return rule.fault;
  }

  server.listen(0, 'localhost');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    fail: (match, fault, times = Infinity) => {
      rule = { match, fault, left: times };
      hits = 0;
    },
    heal: () => {
      rule = null;
    },
    hits: () => hits,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function passOn(answer: Upstream, fault: 'swallow' | 'cut' | 'hold' | null, outgoing: ServerResponse): void {
  const headers = { ...answer.headers, connection: 'close' };
  switch (fault) {
    case 'swallow':
      outgoing.destroy();
      return;
    case 'cut':
      outgoing.writeHead(answer.status, headers);
      outgoing.write(answer.body.subarray(0, answer.body.length / 2), () => outgoing.destroy());
      return;
    case 'hold':
      return;
    default:
      outgoing.writeHead(answer.status, headers).end(answer.body);
  }
}

async function forward(
  port: number,
  { method, path, body }: Seen,
  headers: IncomingHttpHeaders,
): Promise<Upstream> {
  const outgoing = httpRequest({ host: 'localhost', port, method, path, headers, agent: false });
  outgoing.end(body);
  const [reply] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: reply.statusCode ?? 0, headers: reply.headers, body: await readAll(reply) };
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Bytes> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
