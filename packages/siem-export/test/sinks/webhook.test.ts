import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER } from '@tachograph/event-log';
import { Webhook } from 'standardwebhooks';
import { describeSinkContract } from '../../../../test/contracts/sink.contract.ts';
import { nodeFiles } from '../../src/files/file-system.ts';
import { secretReader } from '../../src/secret.ts';
import { webhookDefinition, webhookSink } from '../../src/sinks/webhook.ts';
import type { Delivery, OpenSink, Outcome } from '../../src/sinks/sink.ts';
import { exportEvent } from '../support/export-event.ts';
import { scriptedHttp, type ReceivedRequest, type ScriptedHttp } from '../support/scripted-http.ts';
import { FastClock, keepingLogger } from '../support/surroundings.ts';
import { eventLeaf } from '../support/test-device.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const signal = new AbortController().signal;

const deliveries = (from: number, count: number): Delivery[] =>
  Array.from({ length: count }, (_, i) => ({
    event: exportEvent(eventLeaf(from + i), { [HEADER.id]: `device/${from + i}/0123456789ab` }),
    line: `{"n":${from + i}}`,
    time: '2026-11-22T10:00:00.123Z',
  }));

function open(config: object): Promise<OpenSink> {
  const clock = new FastClock();
  // The library of the receiver looks at its own clock.
  clock.time = Date.now();
  return webhookSink.open(config, {
    format: 'cloudevents',
    exportDir: '',
    files: nodeFiles,
    clock,
    logger: keepingLogger(),
    readSecret: secretReader({ WEBHOOK_SECRET: SECRET, NEXT_SECRET: OTHER, BAD_SECRET: 'whsec_c2hvcnQ=' }),
    marks: [],
  });
}

/** What a receiver makes of a request with a stock library. @throws where the signature does not hold */
function verified({ body, headers }: ReceivedRequest, secret: string): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

describeSinkContract('webhook', async () => {
  let isBroken = false;
  const stored: string[] = [];
  const server = await scriptedHttp((request) => {
    if (isBroken) {
      isBroken = false;
      return { status: 503 };
    }
    stored.push(...(verified(request, SECRET) as object[]).map((item) => JSON.stringify(item)));
    return { status: 204 };
  });
  const validConfig = {
    type: 'webhook',
    url: server.url,
    secrets: [{ env: 'WEBHOOK_SECRET' }],
    allowPrivate: true,
  };
  return {
    sink: webhookSink,
    validConfig,
    deliveries,
    open: () => open(validConfig),
    received: async () => stored,
    breakOnce: () => void (isBroken = true),
    destroy: () => server.stop(),
  };
});

describe('the sink webhook', () => {
  let server: ScriptedHttp;
  let sink: OpenSink | undefined;
  beforeEach(async () => {
    server = await scriptedHttp(() => ({ status: 200 }));
  });
  afterEach(async () => {
    await sink?.close();
    sink = undefined;
    await server.stop();
  });
  const configOf = (extra: object = {}) => ({
    type: 'webhook',
    url: server.url,
    secrets: [{ env: 'WEBHOOK_SECRET' }],
    allowPrivate: true,
    ...extra,
  });

  it('signs so that the stock library of Standard Webhooks verifies it, also while a secret is rotated', async () => {
    sink = await open(configOf({ secrets: [{ env: 'WEBHOOK_SECRET' }, { env: 'NEXT_SECRET' }] }));
    await sink.deliver(deliveries(0, 3), signal);
    const [request] = server.requests;
    expect(verified(request!, SECRET)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(verified(request!, OTHER)).toHaveLength(3);
    expect(() => verified({ ...request!, body: request!.body.replace('1', '9') }, SECRET)).toThrow();
    expect(() => verified(request!, `whsec_${Buffer.alloc(32, 9).toString('base64')}`)).toThrow();
  });

  it('keeps the id of a message however often it is sent, and gives another batch another one', async () => {
    sink = await open(configOf());
    for (const [from, count] of [
      [0, 2],
      [0, 2],
      [0, 3],
    ] as const)
      await sink.deliver(deliveries(from, count), signal);
    const ids = server.requests.map(({ headers }) => headers['webhook-id']);
    expect(ids[0]).toMatch(/^batch_[0-9a-f]{32}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('sends one event a request where that is asked for, under the id of the event', async () => {
    sink = await open(configOf({ body: 'one' }));
    expect(sink.limits.batchEventsMax).toBe(1);
    await sink.deliver(deliveries(5, 1), signal);
    await sink.deliver([{ ...deliveries(6, 1)[0]!, line: 'CEF:0|…' }], signal);
    expect(
      server.requests.map(({ body, headers }) => [headers['webhook-id'], headers['content-type'], body]),
    ).toEqual([
      ['device/5/0123456789ab', 'application/json', '{"n":5}'],
      ['device/6/0123456789ab', 'text/plain; charset=utf-8', 'CEF:0|…'],
    ]);
  });

  it.each<[number, Outcome['kind']]>([
    [200, 'delivered'],
    [204, 'delivered'],
    [302, 'halt'],
    [400, 'isolate'],
    [401, 'halt'],
    [403, 'halt'],
    [404, 'halt'],
    [410, 'halt'],
    [413, 'isolate'],
    [422, 'isolate'],
    [429, 'retry'],
    [500, 'retry'],
    [503, 'retry'],
  ])('takes %d for %s', async (status, kind) => {
    sink = await open(configOf());
    server.answer = () => ({ status, headers: { location: 'http://127.0.0.1:1/', 'retry-after': '4' } });
    const outcomes = await sink.deliver(deliveries(0, 2), signal);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual([kind, kind]);
    if (kind === 'retry') expect(outcomes[0]).toMatchObject({ afterMs: 4_000 });
    expect(server.requests).toHaveLength(1);
  });

  it('refuses a secret that is none, without showing it', async () => {
    sink = await open(configOf({ secrets: [{ env: 'BAD_SECRET' }] }));
    await expect(sink.deliver(deliveries(0, 1), signal)).rejects.toThrow(
      'whsec_ and base64 of 24 to 64 bytes',
    );
  });

  it.each(['http://hooks.example.com/', 'https://user:pass@hooks.example.com/', 'ftp://hooks.example.com/'])(
    'takes no address like %s',
    (url) => {
      expect(webhookDefinition.config.safeParse(configOf({ url, allowPrivate: false })).success).toBe(false);
    },
  );

  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://10.0.0.8/',
    'https://100.64.0.1/',
    'https://0.0.0.0/',
  ])('does not go to %s unless it may', async (url) => {
    await expect(open(configOf({ url, allowPrivate: false }))).rejects.toThrow('no public address');
  });

  it('does not go where a name leads to this machine', async () => {
    const url = server.url.replace('http://127.0.0.1', 'https://localhost');
    sink = await open(configOf({ url, allowPrivate: false }));
    await expect(sink.deliver(deliveries(0, 1), signal)).rejects.toThrow('no public address');
    expect(server.requests).toEqual([]);
  });
});
