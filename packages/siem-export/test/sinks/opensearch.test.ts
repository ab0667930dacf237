import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER } from '@tachograph/event-log';
import { describeSinkContract } from '../../../../test/contracts/sink.contract.ts';
import { nodeFiles } from '../../src/files/file-system.ts';
import { ecs } from '../../src/formats/ecs.ts';
import type { FormatName } from '../../src/formats/registry.ts';
import { secretReader } from '../../src/secret.ts';
import { openSearchDefinition, openSearchSink } from '../../src/sinks/opensearch.ts';
import { indexOf, wildcardOf } from '../../src/sinks/opensearch/index-name.ts';
import { indexTemplate } from '../../src/sinks/opensearch/index-template.ts';
import type { Delivery, OpenSink, Outcome } from '../../src/sinks/sink.ts';
import { EXAMPLES, EXPORTED } from '../support/examples.ts';
import { exportEvent } from '../support/export-event.ts';
import { leavesOf } from '../support/json-paths.ts';
import {
  scriptedHttp,
  type ReceivedRequest,
  type ScriptedAnswer,
  type ScriptedHttp,
} from '../support/scripted-http.ts';
import { FastClock, keepingLogger } from '../support/surroundings.ts';
import { eventLeaf } from '../support/test-device.ts';

const TIME = '2026-11-20T10:00:00.123Z';
const signal = new AbortController().signal;

const deliveries = (from: number, count: number): Delivery[] =>
  Array.from({ length: count }, (_, i) => ({
    event: exportEvent(eventLeaf(from + i), { [HEADER.id]: `device/${from + i}/0123456789ab` }),
    line: `{"n":${from + i}}`,
    time: TIME,
  }));

/** What a batch asks for: each action with its document. */
function actionsIn({ body }: ReceivedRequest): { _index: string; _id: string; document: string }[] {
  const lines = body.split('\n').slice(0, -1);
  return lines.flatMap((line, i) => {
    if (i % 2 === 1) return [];
    const { create } = JSON.parse(line) as { create: { _index: string; _id: string } };
    return [{ ...create, document: lines[i + 1]! }];
  });
}

type Item = { readonly status: number; readonly error?: { readonly type: string; readonly reason: string } };

function bulk(items: readonly Item[]): ScriptedAnswer {
  return { status: 200, body: JSON.stringify({ items: items.map((create) => ({ create })) }) };
}

function open(config: object, format: FormatName = 'raw'): Promise<OpenSink> {
  return openSearchSink.open(config, {
    format,
    exportDir: '',
    files: nodeFiles,
    clock: new FastClock(),
    logger: keepingLogger(),
    readSecret: secretReader({ OS_PASSWORD: 'the-password' }),
    marks: [],
  });
}

describeSinkContract('opensearch', async () => {
  let isBroken = false;
  const stored: string[] = [];
  const server = await scriptedHttp((request) => {
    if (isBroken) {
      isBroken = false;
      return { status: 503, body: 'no shards' };
    }
    const actions = actionsIn(request);
    stored.push(...actions.map(({ document }) => document));
    return bulk(actions.map(() => ({ status: 201 })));
  });
  const validConfig = { type: 'opensearch', url: server.url };
  return {
    sink: openSearchSink,
    validConfig,
    deliveries,
    open: () => open(validConfig),
    received: async () => stored,
    breakOnce: () => void (isBroken = true),
    destroy: () => server.stop(),
  };
});

describe('the sink opensearch', () => {
  let server: ScriptedHttp;
  let sink: OpenSink;
  beforeEach(async () => {
    server = await scriptedHttp((request) => bulk(actionsIn(request).map(() => ({ status: 201 }))));
  });
  afterEach(async () => {
    await sink?.close();
    await server.stop();
  });
  const configOf = (extra: object = {}) => ({ type: 'opensearch', url: server.url, ...extra });
  const kinds = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ kind }) => kind);

  it('creates documents under the ids of the events, with the lines as they are', async () => {
    sink = await open(configOf({ index: 'audit-{tenant}-{yyyy}.{MM}.{dd}' }));
    await sink.deliver([...deliveries(0, 1), { ...deliveries(1, 1)[0]!, line: 'CEF:0|…' }], signal);
    expect(server.requests[0]).toMatchObject({
      path: '/_bulk',
      headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
    });
    expect(actionsIn(server.requests[0]!)).toEqual([
      { _index: 'audit-acme-2026.11.22', _id: 'device/0/0123456789ab', document: '{"n":0}' },
      {
        _index: 'audit-acme-2026.11.22',
        _id: 'device/1/0123456789ab',
        document: JSON.stringify({ '@timestamp': TIME, message: 'CEF:0|…' }),
      },
    ]);
  });

  it('names an index by what stands in the event, so that a replay goes to the same one', () => {
    const [delivery] = deliveries(0, 1);
    expect(indexOf('a-{tenant}-{yyyy}', delivery!)).toBe('a-acme-2026');
    expect(wildcardOf('a-{tenant}-{yyyy}.{MM}')).toBe('a-*-*.*');
    for (const index of ['Upper', '_hidden', 'a b', 'a*', '{other}', 'a/b', '']) {
      expect(openSearchDefinition.config.safeParse({ ...configOf(), index }).success).toBe(false);
    }
  });

  it('tells each event its own outcome', async () => {
    sink = await open(configOf());
    const items: [Item, Outcome['kind']][] = [
      [{ status: 201 }, 'delivered'],
      [{ status: 409, error: { type: 'version_conflict_engine_exception', reason: 'exists' } }, 'delivered'],
      [{ status: 429, error: { type: 'es_rejected_execution_exception', reason: 'queue' } }, 'retry'],
      [{ status: 503, error: { type: 'unavailable_shards_exception', reason: 'primary' } }, 'retry'],
      [{ status: 403, error: { type: 'cluster_block_exception', reason: 'flood stage' } }, 'retry'],
      [{ status: 403, error: { type: 'security_exception', reason: 'no permissions' } }, 'halt'],
      [{ status: 404, error: { type: 'index_not_found_exception', reason: 'no such index' } }, 'halt'],
      [{ status: 400, error: { type: 'mapper_parsing_exception', reason: 'failed to parse' } }, 'reject'],
      [{ status: 400, error: { type: 'a_name_of_next_year', reason: 'new\u001b[31m' } }, 'reject'],
    ];
    server.answer = () => bulk(items.map(([item]) => item));
    const outcomes = await sink.deliver(deliveries(0, items.length), signal);
    expect(kinds(outcomes)).toEqual(items.map(([, kind]) => kind));
    expect(outcomes[7]).toEqual({ kind: 'reject', reason: '400 mapper_parsing_exception: failed to parse' });
    expect(JSON.stringify(outcomes)).not.toContain('\\u001b');
  });

  it.each<[ScriptedAnswer, Outcome]>([
    [{ status: 413 }, { kind: 'isolate', reason: 'larger than http.max_content_length' }],
    [
      { status: 429, headers: { 'retry-after': '3' } },
      { kind: 'retry', reason: expect.anything() as never, afterMs: 3_000 },
    ],
    [
      { status: 502, body: '<html>' },
      { kind: 'retry', reason: 'answered 502: <html>' },
    ],
    [{ status: 401 }, { kind: 'halt', reason: 'answered 401: : check `auth`' }],
    [{ status: 404 }, { kind: 'halt', reason: 'answered 404: : check `url`' }],
    [{ status: 302 }, { kind: 'halt', reason: expect.stringContaining('url') as never }],
    [
      { status: 400, body: 'bad' },
      { kind: 'isolate', reason: 'answered 400: bad' },
    ],
    [
      { status: 200, body: '<html>welcome</html>' },
      { kind: 'retry', reason: expect.stringContaining('_bulk') as never },
    ],
    [bulk([{ status: 201 }]), { kind: 'retry', reason: expect.stringContaining('_bulk') as never }],
  ])('takes %j for the same of every event', async (answer, outcome) => {
    sink = await open(configOf());
    server.answer = () => answer;
    expect(await sink.deliver(deliveries(0, 2), signal)).toEqual([outcome, outcome]);
  });

  it('makes the index template of ecs once, and leaves one alone that is there', async () => {
    let isThere = false;
    server.answer = (request) => {
      if (request.path === '/_bulk') return bulk(actionsIn(request).map(() => ({ status: 201 })));
      if (request.method === 'PUT') isThere = true;
      return { status: isThere ? 200 : 404 };
    };
    sink = await open(configOf(), 'ecs');
    await sink.deliver(deliveries(0, 1), signal);
    await sink.deliver(deliveries(1, 1), signal);
    await sink.close();
    sink = await open(configOf(), 'ecs');
    await sink.deliver(deliveries(2, 1), signal);
    const templates = server.requests.filter(({ path }) => path !== '/_bulk');
    expect(templates.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /_index_template/tachograph-any',
      'PUT /_index_template/tachograph-any',
      'GET /_index_template/tachograph-any',
    ]);
    expect(JSON.parse(templates[1]!.body)).toMatchObject({ index_patterns: ['tachograph-*'] });
    await sink.close();
    server.answer = () => ({ status: 403 });
    sink = await open(configOf(), 'ecs');
    await expect(sink.deliver(deliveries(3, 1), signal)).rejects.toThrow('template: false');
  });

  it('has a type in its template for every field that ecs writes', () => {
    const { template } = indexTemplate(['x-*'], 'opensearch');
    const typed = (path: string): boolean => {
      let at: unknown = template.mappings;
      for (const name of path.split('.')) {
        const { type, properties } = at as { type?: string; properties?: Record<string, unknown> };
        if (type === 'flat_object') return true;
        at = properties?.[name];
        if (at === undefined) return false;
      }
      return typeof (at as { type?: unknown }).type === 'string';
    };
    const written = new Set(
      EXAMPLES.flatMap(([, event]) => {
        const formatted = ecs.format(event, { exportedTime: EXPORTED });
        return formatted.kind === 'line' ? leavesOf(JSON.parse(formatted.text)).map(({ path }) => path) : [];
      }),
    );
    expect([...written].filter((path) => !typed(path))).toEqual([]);
  });

  it.each<[object, string | undefined]>([
    [{}, undefined],
    [
      { auth: { username: 'writer', password: { env: 'OS_PASSWORD' } } },
      'Basic d3JpdGVyOnRoZS1wYXNzd29yZA==',
    ],
    [{ auth: { apiKey: { env: 'OS_PASSWORD' } } }, 'ApiKey the-password'],
    [{ auth: { bearer: { env: 'OS_PASSWORD' } } }, 'Bearer the-password'],
  ])('shows who it is: %j', async (extra, authorization) => {
    sink = await open(configOf(extra));
    await sink.deliver(deliveries(0, 1), signal);
    expect(server.requests[0]!.headers.authorization).toBe(authorization);
  });
});
