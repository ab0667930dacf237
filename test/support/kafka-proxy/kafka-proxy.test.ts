import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { API_KEYS, FrameSplitter } from './frames.ts';
import { startKafkaProxy, type KafkaProxy } from './proxy.ts';

describe('FrameSplitter', () => {
  it('finds the frames wherever the stream is cut', () => {
    const frames = [request(0, 1, 'a'), request(3, 2, ''), request(1, 3, 'x'.repeat(300))];
    const stream = Buffer.concat(frames);
    for (const step of [1, 3, 7, 100, stream.length]) {
      const splitter = new FrameSplitter();
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += step)
        found.push(...splitter.push(stream.subarray(at, at + step)));
      expect(found).toEqual(frames);
    }
  });

  it.each([-1, 200 * 1024 * 1024, 0x47455420])('refuses a length of %d', (length) => {
    const frame = Buffer.alloc(4);
    frame.writeInt32BE(length);
    expect(() => new FrameSplitter().push(frame)).toThrow(RangeError);
  });
});

describe('the proxy, before a broker that answers each request with its payload', () => {
  let broker: Echo;
  let proxy: KafkaProxy;
  beforeEach(async () => {
    broker = await startEcho();
    proxy = await startKafkaProxy([broker.port]);
  });
  afterEach(async () => {
    await proxy.close();
    await broker.close();
  });
  const open = (): Promise<Client> => openClient(Number(proxy.addresses[0]!.split(':')[1]));

  it('passes on what meets no fault, in order, and counts it by kind', async () => {
    const client = await open();
    for (let id = 1; id <= 50; id++)
      client.send(id % 2 === 0 ? API_KEYS.produce : API_KEYS.fetch, id, `p${id}`);
    await client.received(50);
    expect(client.responses).toEqual(Array.from({ length: 50 }, (_, i) => `${i + 1}:p${i + 1}`));
    expect(proxy.counts('produce')).toEqual({ requests: 25, responses: 25 });
    expect(proxy.counts('fetch')).toEqual({ requests: 25, responses: 25 });
    expect(proxy.hits()).toEqual([]);
  });

  it('swallows the response that it is told to, and no other', async () => {
    const client = await open();
    proxy.fail('produce', (nth) => (nth === 2 ? { kind: 'swallow' } : undefined));
    client.send(API_KEYS.fetch, 1, 'other kinds do not count');
    for (const id of [2, 3, 4]) client.send(API_KEYS.produce, id, 'p');
    await client.received(3);
    expect(client.responses.map((response) => response.split(':')[0])).toEqual(['1', '2', '4']);
    expect(broker.requests).toEqual([1, 2, 3, 4]);
    expect(proxy.counts('produce')).toEqual({ requests: 3, responses: 3 });
    expect(proxy.hits()).toEqual([{ api: 'produce', nth: 2, kind: 'swallow' }]);
  });

  it('counts over all connections, and from when the faults were set', async () => {
    const [one, two] = [await open(), await open()];
    one.send(API_KEYS.produce, 1, 'before');
    await one.received(1);
    proxy.fail('produce', (nth) => (nth === 2 ? { kind: 'cut-after' } : undefined));
    one.send(API_KEYS.produce, 2, 'first');
    await one.received(2);
    two.send(API_KEYS.produce, 3, 'second');
    await two.closed;
    proxy.heal();
    one.send(API_KEYS.produce, 4, 'healed');
    await one.received(3);
    expect(broker.requests).toEqual([1, 2, 3, 4]);
    expect(two.responses).toEqual([]);
  });

  it('cuts before the broker has the request', async () => {
    const client = await open();
    proxy.fail('produce', () => ({ kind: 'cut-before' }));
    client.send(API_KEYS.produce, 1, 'lost');
    await client.closed;
    expect(broker.requests).toEqual([]);
  });

  it('cuts within a response', async () => {
    const client = await open();
    proxy.fail('fetch', () => ({ kind: 'cut-within' }));
    client.send(API_KEYS.fetch, 1, 'half of this');
    await client.closed;
    expect(client.responses).toEqual([]);
    expect(client.bytes()).toBeGreaterThan(0);
    expect(broker.requests).toEqual([1]);
  });

  it('holds a response, and what follows it, until it is released', async () => {
    const client = await open();
    proxy.fail('produce', (nth) => (nth === 1 ? { kind: 'hold-response' } : undefined));
    client.send(API_KEYS.produce, 1, 'a');
    client.send(API_KEYS.produce, 2, 'b');
    await eventually('both answered', () => (proxy.counts('produce').responses === 2 ? true : null));
    expect(proxy.held()).toBe(1);
    expect(client.responses).toEqual([]);
    proxy.release();
    await client.received(2);
    expect(client.responses).toEqual(['1:a', '2:b']);
  });

  it('delivers a held request also when its client has gone', async () => {
    const client = await open();
    proxy.fail('produce', (nth) => (nth === 1 ? { kind: 'hold-request' } : undefined));
    client.send(API_KEYS.produce, 7, 'late');
    await eventually('held', () => (proxy.held() === 1 ? true : null));
    client.socket.destroy();
    const other = await open();
    other.send(API_KEYS.produce, 8, 'meanwhile');
    await other.received(1);
    expect(broker.requests).toEqual([8]);
    proxy.release();
    await eventually('delivered', () => (broker.requests.length === 2 ? true : null));
    expect(broker.requests).toEqual([8, 7]);
  });

  it('lets a delayed response come in its order', async () => {
    const client = await open();
    proxy.fail('produce', (nth) => (nth === 1 ? { kind: 'delay', ms: 30 } : undefined));
    client.send(API_KEYS.produce, 1, 'a');
    client.send(API_KEYS.fetch, 2, 'b');
    await client.received(2);
    expect(client.responses).toEqual(['1:a', '2:b']);
  });

  it('ends a connection that does not speak the protocol', async () => {
    const client = await open();
    client.socket.write('GET / HTTP/1.1\r\n\r\n');
    await client.closed;
    expect(broker.requests).toEqual([]);
  });

  it('resets connections to a broker that takes none', async () => {
    const lonely = await startKafkaProxy([await freePort()]);
    const socket = connect(Number(lonely.addresses[0]!.split(':')[1]), '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    await lonely.close();
  });

  it('ends every connection at once, and takes new ones', async () => {
    const before = [await open(), await open()];
    proxy.cutAll();
    await Promise.all(before.map(({ closed }) => closed));
    const after = await open();
    after.send(API_KEYS.produce, 1, 'a');
    await after.received(1);
  });
});

type Echo = {
  readonly port: number;
  /** Correlation ids, in the order in which they came. */
  readonly requests: number[];
  readonly close: () => Promise<void>;
};

async function startEcho(): Promise<Echo> {
  const requests: number[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    const splitter = new FrameSplitter();
    socket.on('data', (chunk: Buffer) => {
      for (const frame of splitter.push(chunk)) {
        requests.push(frame.readInt32BE(8));
        socket.write(framed(frame.subarray(8)));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

type Client = {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  /** `correlationId:payload` of the responses that came. */
  readonly responses: readonly string[];
  readonly bytes: () => number;
  readonly send: (apiKey: number, correlationId: number, payload: string) => void;
  readonly received: (count: number) => Promise<unknown>;
};

async function openClient(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  const closed = once(socket, 'close');
  const responses: string[] = [];
  const splitter = new FrameSplitter();
  socket.on('data', (chunk: Buffer) => {
    for (const frame of splitter.push(chunk))
      responses.push(`${frame.readInt32BE(4)}:${frame.subarray(8).toString()}`);
  });
  await once(socket, 'connect');
  return {
    socket,
    closed,
    responses,
    bytes: () => socket.bytesRead,
    send: (apiKey, correlationId, payload) => {
      socket.write(request(apiKey, correlationId, payload));
    },
    received: (count) => eventually(`${count} responses`, () => (responses.length >= count ? true : null)),
  };
}

function request(apiKey: number, correlationId: number, payload: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt16BE(apiKey, 0);
  head.writeInt16BE(7, 2);
  head.writeInt32BE(correlationId, 4);
  return framed(Buffer.concat([head, Buffer.from(payload)]));
}

function framed(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return Buffer.concat([length, content]);
}
