import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER } from '@tachograph/event-log';
import { describeSinkContract } from '../../../../test/contracts/sink.contract.ts';
import { nodeFiles } from '../../src/files/file-system.ts';
import { secretReader } from '../../src/secret.ts';
import { splunkHecDefinition, splunkHecSink } from '../../src/sinks/splunk-hec.ts';
import type { Delivery, OpenSink, Outcome } from '../../src/sinks/sink.ts';
import { exportEvent } from '../support/export-event.ts';
import {
  scriptedHttp,
  type ReceivedRequest,
  type ScriptedAnswer,
  type ScriptedHttp,
} from '../support/scripted-http.ts';
import { FastClock, keepingLogger } from '../support/surroundings.ts';
import { eventLeaf } from '../support/test-device.ts';

const TIME = '2026-11-22T10:00:00.123Z';
const SUCCESS: ScriptedAnswer = { status: 200, body: '{"text":"Success","code":0}' };
const signal = new AbortController().signal;

const deliveries = (from: number, count: number): Delivery[] =>
  Array.from({ length: count }, (_, i) => ({
    event: exportEvent(eventLeaf(from + i), { [HEADER.id]: `device/${from + i}/0123456789ab` }),
    line: `line ${from + i}`,
    time: TIME,
  }));

const eventsIn = ({ body }: ReceivedRequest): Record<string, unknown>[] =>
  body.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

function open(config: object, clock = new FastClock()): Promise<OpenSink> {
  return splunkHecSink.open(config, {
    format: 'cloudevents',
    exportDir: '',
    files: nodeFiles,
    clock,
    logger: keepingLogger(),
    readSecret: secretReader({ HEC_TOKEN: 'a-secret-token' }),
    marks: [],
  });
}

describeSinkContract('splunk-hec', async () => {
  let isBroken = false;
  const server = await scriptedHttp(() => {
    const answer = isBroken ? { status: 503, body: '{"text":"Server is busy","code":9}' } : SUCCESS;
    isBroken = false;
    return answer;
  });
  const stored: string[] = [];
  const answer = server.answer;
  server.answer = (request) => {
    const answered = answer(request);
    if (answered !== 'cut' && answered.status === 200) {
      stored.push(...eventsIn(request).map(({ event }) => String(event)));
    }
    return answered;
  };
  const validConfig = { type: 'splunk-hec', url: server.url, token: { env: 'HEC_TOKEN' } };
  return {
    sink: splunkHecSink,
    validConfig,
    deliveries,
    open: () => open(validConfig),
    received: async () => stored,
    breakOnce: () => void (isBroken = true),
    destroy: () => server.stop(),
  };
});

describe('the sink splunk-hec', () => {
  let server: ScriptedHttp;
  let sink: OpenSink;
  beforeEach(async () => {
    server = await scriptedHttp(() => SUCCESS);
  });
  afterEach(async () => {
    await sink?.close();
    await server.stop();
  });
  const configOf = (extra: object = {}) => ({
    type: 'splunk-hec',
    url: server.url,
    token: { env: 'HEC_TOKEN' },
    ...extra,
  });
  const kinds = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ kind }) => kind);

  it('writes event objects with time, host, source and flat fields, and JSON lines as they are', () => {
    const config = splunkHecDefinition.config.parse(configOf({ index: 'audit-{tenant}' }));
    const line = '{"specversion":"1.0","data":{ "b" : 1.0e0 }}';
    const { body } = splunkHecDefinition.encode([{ ...deliveries(7, 1)[0]!, line }], config);
    const text = Buffer.from(body).toString();
    expect(text.endsWith(`,"event":${line}}`)).toBe(true);
    expect(JSON.parse(text)).toMatchObject({
      time: 1_795_341_600.123,
      source: 'audit.example.com/acme/device',
      sourcetype: 'tachograph',
      index: 'audit-acme',
      fields: { id: 'device/7/0123456789ab', tenant: 'acme', received: '2026-11-22T10:00:05.000Z' },
    });
  });

  it('sends the token in its header, compressed, and shows it nowhere', async () => {
    sink = await open(configOf());
    server.answer = () => ({ status: 403, body: '{"text":"Invalid token a-secret","code":4}' });
    const [outcome] = await sink.deliver(deliveries(0, 1), signal);
    expect(server.requests[0]).toMatchObject({
      path: '/services/collector/event',
      headers: { authorization: 'Splunk a-secret-token', 'content-encoding': 'gzip' },
    });
    expect(outcome).toMatchObject({
      kind: 'halt',
      reason: expect.stringContaining('the token is not known'),
    });
    expect(JSON.stringify(outcome)).not.toContain('a-secret-token');
  });

  it.each<[number, number | null, Outcome['kind']]>([
    [403, 1, 'halt'],
    [401, 2, 'halt'],
    [401, 3, 'halt'],
    [403, 4, 'halt'],
    [400, 5, 'isolate'],
    [400, 6, 'isolate'],
    [400, 7, 'halt'],
    [500, 8, 'retry'],
    [503, 9, 'retry'],
    [400, 10, 'halt'],
    [400, 11, 'halt'],
    [400, 12, 'isolate'],
    [400, 13, 'isolate'],
    [400, 14, 'halt'],
    [400, 15, 'isolate'],
    [400, 16, 'halt'],
    [503, 23, 'retry'],
    [429, 26, 'retry'],
    [413, null, 'isolate'],
    [404, null, 'halt'],
    [302, null, 'halt'],
    [502, null, 'retry'],
    [418, 99, 'isolate'],
  ])('takes status %d with code %s for %s of the whole batch', async (status, code, kind) => {
    sink = await open(configOf());
    server.answer = () => ({
      status,
      body:
        code === null
          ? '<html>Bad \u001b[31mgateway</html>'
          : JSON.stringify({ text: 'why\u001b[31m', code }),
    });
    const outcomes = await sink.deliver(deliveries(0, 3), signal);
    expect(kinds(outcomes)).toEqual([kind, kind, kind]);
    expect(JSON.stringify(outcomes)).not.toContain('\\u001b');
  });

  it('isolates the tenant whose own index is wrong, and honours Retry-After', async () => {
    sink = await open(configOf({ index: '{tenant}' }));
    server.answer = () => ({ status: 400, body: '{"text":"Incorrect index","code":7}' });
    expect(kinds(await sink.deliver(deliveries(0, 2), signal))).toEqual(['isolate', 'isolate']);
    server.answer = () => ({ status: 503, headers: { 'retry-after': '7' }, body: '{"code":9}' });
    expect(await sink.deliver(deliveries(0, 1), signal)).toMatchObject([{ kind: 'retry', afterMs: 7_000 }]);
  });

  it('asks for a retry where the connection is cut', async () => {
    sink = await open(configOf());
    server.answer = () => 'cut';
    await expect(sink.deliver(deliveries(0, 1), signal)).rejects.toThrow(
      /other side closed|ECONNRESET|terminated/,
    );
  });

  describe('with acknowledgements', () => {
    /** A collector that gives ids, and acknowledges those of which `isThere` says so. */
    function collector(isThere: (ackId: number, asked: number) => boolean) {
      const seen = { sent: 0, asked: 0, channels: new Set<unknown>() };
      server.answer = ({ path, body, headers }) => {
        seen.channels.add(headers['x-splunk-request-channel']);
        if (path.endsWith('/event'))
          return { status: 200, body: JSON.stringify({ code: 0, ackId: seen.sent++ }) };
        seen.asked++;
        const { acks } = JSON.parse(body) as { acks: number[] };
        return {
          status: 200,
          body: JSON.stringify({ acks: Object.fromEntries(acks.map((id) => [id, isThere(id, seen.asked)])) }),
        };
      };
      return seen;
    }

    it('delivers once the indexer has it, over one channel', async () => {
      const seen = collector((_, asked) => asked > 3);
      sink = await open(configOf({ acknowledge: true }));
      expect(kinds(await sink.deliver(deliveries(0, 2), signal))).toEqual(['delivered', 'delivered']);
      expect(kinds(await sink.deliver(deliveries(2, 2), signal))).toEqual(['delivered', 'delivered']);
      expect(seen).toMatchObject({ sent: 2 });
      expect(seen.channels.size).toBe(1);
      expect([...seen.channels][0]).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('sends a batch whose acknowledgement never comes three times, and no more', async () => {
      const seen = collector(() => false);
      sink = await open(configOf({ acknowledge: true, acknowledgeSeconds: 5 }));
      for (let i = 0; i < 6; i++) {
        expect(await sink.deliver(deliveries(0, 2), signal)).toMatchObject([
          { kind: 'retry' },
          { kind: 'retry' },
        ]);
      }
      expect(seen.sent).toBe(3);
    });

    it('finds an acknowledgement that came late without sending again, also in a batch that has grown', async () => {
      let isThere = false;
      const seen = collector((ackId) => isThere && ackId === 0);
      sink = await open(configOf({ acknowledge: true, acknowledgeSeconds: 1 }));
      await sink.deliver(deliveries(0, 2), signal);
      isThere = true;
      expect(await sink.deliver(deliveries(0, 3), signal)).toMatchObject([
        { kind: 'delivered' },
        { kind: 'delivered' },
        { kind: 'retry', afterMs: 0 },
      ]);
      expect(seen.sent).toBe(1);
    });
  });
});
