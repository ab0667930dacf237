import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

export type ReceivedRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Inflated. */
  readonly body: string;
};

export type ScriptedAnswer = {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type ScriptedHttp = {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** What the next requests are answered; ended connections where it is `'cut'`. */
  answer: (request: ReceivedRequest) => ScriptedAnswer | 'cut';
  readonly stop: () => Promise<void>;
};

const inflate = promisify(gunzip);

/** A destination on loopback whose answers a test decides. */
export async function scriptedHttp(answer: ScriptedHttp['answer']): Promise<ScriptedHttp> {
  const scripted = { requests: [] as ReceivedRequest[], answer };
  const server = createServer((request, response) => {
    const take = async (): Promise<void> => {
      const received = await read(request);
      scripted.requests.push(received);
      const answered = scripted.answer(received);
      if (answered === 'cut') request.socket.destroy();
      else response.writeHead(answered.status, answered.headers).end(answered.body ?? '');
    };
    void take();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return Object.assign(scripted, {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  });
}

async function read(request: IncomingMessage): Promise<ReceivedRequest> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const body = request.headers['content-encoding'] === 'gzip' ? await inflate(bytes) : bytes;
  const { method = '', url = '', headers } = request;
  return { method, path: url, headers, body: body.toString() };
}
