import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { HEADER } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import { eventually } from '../../../../test/support/eventually.ts';
import { startOpenSearch, type OpenSearchNode } from '../../../../test/support/opensearch.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import type { RouteInput } from '../../src/index.ts';
import { DeadLetterFile } from '../../src/operations/dead-letter-file.ts';
import { routeSource } from '../../src/verify/sources/route-source.ts';
import { verifyFeed } from '../../src/verify/verifier.ts';
import { appendTo } from '../support/surroundings.ts';
import { TestDevice } from '../support/test-device.ts';
import { compared, startFeed, type RunningFeed } from '../support/through-faults.ts';

const POISON = 25;
const GOOD = 5_000;

describe('the sink opensearch and a real OpenSearch', () => {
  let nodeDir: Awaited<ReturnType<typeof tempDir>>;
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let node: OpenSearchNode;
  let feed: RunningFeed;
  beforeAll(async () => {
    nodeDir = await tempDir();
    // So small that a batch is refused for its length.
    node = await startOpenSearch(nodeDir.path, ['http.max_content_length: 1mb']);
  }, 120_000);
  afterAll(async () => {
    await node?.stop();
    await nodeDir?.remove();
  }, 60_000);
  beforeEach(async () => {
    dir = await tempDir();
  });
  afterEach(async () => {
    await feed?.stop();
    await dir.remove();
  }, 60_000);

  const routeTo = (index: string): RouteInput => ({
    name: 'os',
    tenants: '*',
    format: 'ecs',
    // No compression: then the length of a batch is what is sent.
    sink: { type: 'opensearch', url: node.url, index, gzip: false, timeoutSeconds: 3 },
  });

  it('have everything once while it is killed and stands still', async () => {
    feed = await startFeed(dir.path, routeTo('killed-{tenant}'));
    await feed.grow(3);
    await eventually('it receives', () => (feed.delivered() > 0 ? true : null), 60_000);
    const growing = feed.grow(6);
    await node.kill();
    await node.start();
    await growing;
    node.pause();
    await feed.grow(2);
    await delay(4_000);
    node.resume();
    await feed.settled(120_000);
    const documents = await node.documents('killed-acme');
    const result = compared(
      await feed.expected(),
      documents.map(({ _id }) => _id),
    );
    // It has an order of its own: what stands in `event.sequence`.
    expect(result).toMatchObject({ missing: 0, strange: 0, doubled: 0 });
    const logKeys: Uint8Array<ArrayBuffer>[] = [];
    const source = routeSource(routeTo('killed-{tenant}'), { exportDir: `${dir.path}/export`, env: {} })!;
    const verified = await verifyFeed(source, { logKeys, isPartial: false, heads: new Map() });
    const sizes = [...(await feed.expected()).values()].map((ids) => ids.length);
    expect(verified.logs.map(({ entries }) => entries).toSorted((a, b) => a - b)).toEqual(
      sizes.toSorted((a, b) => a - b),
    );
    // The one thing that this feed lacks is a tenant's log, which would say the keys of the devices.
    expect(verified.logs.flatMap(({ findings }) => findings.map(({ kind }) => kind))).toEqual(
      sizes.map(() => 'unproven'),
    );
    const [first, second] = documents;
    const { original } = first!._source['event'] as { original: string };
    await node.call('POST', `/killed-acme/_update/${encodeURIComponent(first!._id)}?refresh=true`, {
      doc: { event: { original: original.replace('u_7', 'u_8') } },
    });
    await node.call('DELETE', `/killed-acme/_doc/${encodeURIComponent(second!._id)}?refresh=true`);
    const planted = await verifyFeed(source, { logKeys, isPartial: false, heads: new Map() });
    const found = planted.logs.flatMap(({ device, findings }) =>
      findings
        .filter(({ kind }) => kind !== 'unproven')
        .map(({ kind, from, to }) => `${kind} ${device}/${from}-${to}`),
    );
    const placeOf = ({ _id }: { _id: string }): string => {
      const [device, index] = _id.split('/');
      return `${device}/${index}-${Number(index) + 1}`;
    };
    expect(found.toSorted()).toEqual(
      [`altered ${placeOf(first!)}`, `missing ${placeOf(second!)}`].toSorted(),
    );
    const template = (await node.call('GET', '/killed-acme/_mapping')) as Record<
      string,
      { mappings: object }
    >;
    expect(template['killed-acme']!.mappings).toMatchObject({ dynamic: 'false' });
  }, 240_000);

  it('have every good event, and each bad one is a dead letter by itself', async () => {
    // A field that an administrator has made stricter than ours: text is refused there.
    await node.call('PUT', '/poison-acme', {
      mappings: {
        properties: {
          event: { properties: { id: { type: 'keyword' } } },
          tachograph: { properties: { session: { type: 'long' } } },
        },
      },
    });
    feed = await startFeed(dir.path, routeTo('poison-{tenant}'));
    const device = await TestDevice.make();
    const bad = new Set(Array.from({ length: POISON }, (_, i) => i * 197 + 3));
    const total = GOOD + POISON;
    for (let at = 0; at < total; at += 500) {
      const leaves = Array.from({ length: Math.min(500, total - at) }, (_, i) =>
        leafOf(at + i, bad.has(at + i)),
      );
      await appendTo(feed.log, await device.append(leaves));
    }
    await eventually('everything is settled', () => (feed.delivered() >= total ? true : null), 120_000);
    const { counts } = feed.exporter.status().routes[0]!;
    expect(counts).toMatchObject({ delivered: GOOD, deadLettered: POISON });
    const indexes = (await node.documents('poison-acme')).map(({ _source }) => {
      return (_source['event'] as { sequence: number }).sequence;
    });
    const expected = Array.from({ length: total }, (_, i) => i).filter((i) => !bad.has(i));
    expect(indexes.toSorted((a, b) => a - b)).toEqual(expected);
    const letters: number[] = [];
    for await (const letter of new DeadLetterFile(`${dir.path}/export`, 'dead-letters-os').open()) {
      letters.push(Number(letter.event.headers[HEADER.sequence]));
      expect(letter.reason).toMatch(/^400 mapper_parsing_exception: |^400 document_parsing_exception: /);
    }
    expect(letters.toSorted((a, b) => a - b)).toEqual([...bad].toSorted((a, b) => a - b));
  }, 240_000);
});

/** An event whose session is a number, or text where it is poison; some are large, so that batches pass 1 MiB. */
function leafOf(n: number, isPoison: boolean) {
  return utf8(
    JSON.stringify({
      id: `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`,
      time: '2026-11-22T10:00:00.123Z',
      action: 'item.reveal',
      actor: { id: 'u_7' },
      outcome: 'success',
      online: false,
      clock: { boot: 'b3f1', ms: n },
      session: isPoison ? 'no number' : '7',
      data: { text: 'x'.repeat(n % 100 === 0 ? 8_000 : 10) },
    }),
  );
}
