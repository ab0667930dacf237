import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { start, type Running } from '../support/running.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder();
const env = { PORT: '0', DATA_DIR: folder.path, LOG_LEVEL: 'silent', DEMO: 'on' };
const ROUTES = `routes:
  - { name: events, tenants: '*', format: cloudevents, sink: { type: file, stem: events } }
  - { name: soc, tenants: [demo], format: ecs, sink: { type: file, stem: soc } }
`;

describe('what operators do along routes, beside a running server', () => {
  let server: Running;
  beforeAll(async () => {
    writeFileSync(join(folder.path, 'routes.yaml'), ROUTES);
    server = await start(['serve'], env, /Stop with Ctrl-C/);
    await eventually('the feed has the facts of the demo tenant', () =>
      lines('events').length >= 2 ? true : null,
    );
  }, 60_000);
  afterAll(async () => {
    await server?.end('SIGTERM');
    folder.remove();
  });

  const path = (stem: string): string => join(folder.path, 'export', `${stem}.ndjson`);
  const lines = (stem: string): string[] => {
    try {
      return readFileSync(path(stem), 'utf8').split('\n').slice(0, -1);
    } catch {
      // Nobody has written it yet.
      return [];
    }
  };
  async function run(...args: string[]) {
    const io = fakeIo(env);
    const code = await runCli(args, io);
    return { code, printed: io.printed(), complained: io.complained() };
  }

  it('a test event goes along a route and says so, and never into the feed', async () => {
    const before = lines('soc').length;
    const sent = await run('export', 'test', 'soc');
    expect(sent).toMatchObject({ code: 0, printed: '✓ soc wrote it to soc-test.ndjson, beside the feed.\n' });
    expect(JSON.parse(lines('soc-test')[0]!)).toMatchObject({
      event: { action: 'export.test' },
      organization: { id: 'demo' },
    });
    expect(lines('soc')).toHaveLength(before);
    const none = await run('export', 'test', 'nowhere');
    expect(none).toMatchObject({ code: 1, complained: expect.stringContaining('There is events, soc.') });
  });

  it('a replay sends the same events once more, and a dry run only counts them', async () => {
    const all = lines('soc').map((line) => (JSON.parse(line) as { event: { id: string } }).event.id);
    const dry = await run('replay', 'soc', '--dry-run');
    expect(dry).toMatchObject({ code: 0, printed: `${all.length} events would be sent along soc.\n` });
    expect(lines('soc-replay')).toEqual([]);
    const replayed = await run('replay', 'soc', '--tenant', 'demo', '--rate', '100000');
    expect(replayed).toMatchObject({ code: 0, printed: `${all.length} events sent to soc-replay.ndjson.\n` });
    expect(replayed.complained).toContain('100 %');
    const again = lines('soc-replay').map((line) => (JSON.parse(line) as { event: { id: string } }).event.id);
    expect(again).toEqual(all);
    const later = await run('replay', 'soc', '--from', '2100-01-01T00:00:00Z');
    expect(later.printed).toContain('0 events sent');
    expect((await run('replay', 'soc', '--tenant', 'other')).complained).toContain('is not for other');
    expect((await run('replay', 'soc', '--from', 'yesterday')).code).toBe(2);
  });

  it('dead letters are listed, shown, delivered later, and then gone from the list', async () => {
    expect((await run('dlq', 'list')).printed).toBe('No dead letters.\n');
    expect((await run('dlq', 'retry', 'soc')).printed).toBe('No such dead letters of soc.\n');
    mkdirSync(join(folder.path, 'export'), { recursive: true });
    // As an exporter wrote it whose destination once refused this event, with a name that would drive a terminal.
    const { event } = JSON.parse(lines('soc')[0]!) as { event: { id: string; original: string } };
    const headers = {
      ce_id: event.id,
      ce_source: 'localhost/demo/x',
      ce_type: 'tenant.created',
      ce_tenant: 'demo',
    };
    const letter = {
      time: '2026-11-23T08:00:00.000Z',
      route: 'soc',
      refusedBy: 'sink',
      reason: 'mapping \u001b[31mconflict',
      partition: 0,
      offset: 0,
      headers,
      data_base64: Buffer.from(event.original).toString('base64'),
    };
    appendFileSync(path('dead-letters-soc'), `${JSON.stringify(letter)}\n`);
    const listed = await run('dlq', 'list', 'soc');
    expect(listed.printed).toMatch(
      /ID .*REASON\n[0-9a-f]{12} .*demo {2,}tenant\.created {2,}mapping \\u\{1b\}/,
    );
    const id = /^[0-9a-f]{12}/m.exec(listed.printed)![0];
    expect(JSON.parse((await run('dlq', 'show', id)).printed)).toMatchObject({ id, headers });
    expect((await run('dlq', 'show', 'nothing')).code).toBe(1);
    expect((await run('dlq', 'retry', 'soc', '--dry-run')).printed).toBe('1 would be sent along soc.\n');
    expect((await run('dlq', 'retry', 'soc', id)).printed).toBe('1 delivered, 0 refused once more.\n');
    expect(JSON.parse(lines('soc-retry')[0]!)).toMatchObject({ event: { id: event.id } });
    expect((await run('dlq', 'list')).printed).toBe('No dead letters.\n');
  });
});
