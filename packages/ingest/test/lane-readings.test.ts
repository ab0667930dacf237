import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogMissingError, partitionOf, type AppendOutcome, type EventLog } from '@tachograph/event-log';
import type { PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely';
import { RegistryUnavailableError } from '../src/registry/unavailable.ts';
import type { Registry } from '../src/registry/registry.ts';
import { boundedReads } from '../src/lane/bounded-reads.ts';
import { FakeTiming } from './fake-timing.ts';
import { eventually, Harness, replay, TENANT } from './harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

const FOR_EVER = new Promise<never>(() => undefined);

/** A log that misses its topic, is silent, or holds one append until it is let go. */
class Log {
  looks: number[] = [];
  isMissing = false;
  isSilent = false;
  /** What stands between an append and its outcome. */
  held: Promise<void> | null = null;

  hold(): () => void {
    let release = (): void => undefined;
    this.held = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      this.held = null;
      release();
    };
  }

  wrap = (log: EventLog): EventLog => ({
    describe: () => log.describe(),
    readRange: (partition, from, to) => log.readRange(partition, from, to),
    openGroup: (group) => log.openGroup(group),
    close: () => log.close(),
    offsets: async (partition) => {
      this.looks.push(partition);
      if (this.isSilent) return FOR_EVER;
      if (this.isMissing) throw new LogMissingError('audit.events', null);
      return log.offsets(partition);
    },
    append: async (partition, records, deadline): Promise<AppendOutcome> => {
      const outcome = await log.append(partition, records, deadline);
      await this.held;
      return outcome;
    },
  });
}

describe('a lane whose registry cannot answer for a moment', () => {
  it('tells those who wait, lives on, and takes the next append', async () => {
    let isFailing = false;
    const plugin = {
      transformQuery: ({ node }: PluginTransformQueryArgs) => {
        const isHeads = node.kind === 'SelectQueryNode' && JSON.stringify(node).includes('"name":"heads"');
        if (isFailing && isHeads) throw new RegistryUnavailableError('injected');
        return node;
      },
      transformResult: async ({ result }: PluginTransformResultArgs) => result,
    };
    const first = await harness.node();
    const device = await harness.enrolled(first);
    device.record(1);
    const node = await harness.node({
      registry: (registry) => ({ ...registry, db: registry.db.withPlugin(plugin) }),
    });
    await node.ingest.ready();
    isFailing = true;
    expect((await node.send(device, 0)).status).toBe(503);
    isFailing = false;
    await eventually(() => node.ingest.isReady());
    await replay(node, device);
    expect(await node.recordsOf(device)).toHaveLength(1);
  });
});

describe('a look that misses the log while an append is on its way', () => {
  it('is waited out, and the lane is as ready as it says once the log is back', async () => {
    const timing = new FakeTiming();
    const log = new Log();
    const node = await harness.node({ log: log.wrap, timing });
    await node.ingest.ready();
    const device = await harness.enrolled(node);
    device.record(2);
    expect((await node.send(device, 0, 1)).status).toBe(200);
    const release = log.hold();
    const sent = node.send(device, 1, 2);
    await eventually(async () => (await node.recordsOf(device)).length === 2);
    const partition = partitionOf(`${TENANT}/${device.device}`, 4);
    const own = log.looks.filter((of) => of === partition).length;
    const looks = log.looks.length - own;
    log.isMissing = true;
    timing.advance(2_000);
    // The other lanes have looked and missed the log, counted what is lost (two looks), and read in vain.
    await eventually(() => log.looks.filter((of) => of !== partition).length >= looks + 12);
    // This one's append is on its way: it has looked and counted, and read nothing beside it.
    expect(log.looks.filter((of) => of === partition)).toHaveLength(own + 3);
    release();
    log.isMissing = false;
    expect((await sent).status).toBe(200);
    await eventually(() => {
      timing.advance(250);
      return node.ingest.isReady();
    });
    device.record(1);
    expect((await node.send(device, 2, 3)).status).toBe(200);
  });

  it.each(['cut', 'missing'] as const)(
    'makes no receipt where it is %s while the heads are moved',
    async (how) => {
      const timing = new FakeTiming();
      const log = new Log();
      let isCut = false;
      let meanwhile: (() => Promise<void>) | null = null;
      const node = await harness.node({
        timing,
        log: (inner) => {
          const wrapped = log.wrap(inner);
          const offsets = async (partition: number) => {
            const ends = await wrapped.offsets(partition);
            return isCut ? { oldest: 0, next: 0 } : ends;
          };
          return { ...wrapped, offsets };
        },
        registry: (registry: Registry) => ({
          ...registry,
          checkpoint: async (work) => {
            const result = await registry.checkpoint(work);
            await meanwhile?.();
            return result;
          },
        }),
      });
      await node.ingest.ready();
      const device = await harness.enrolled(node);
      device.record(2);
      expect((await node.send(device, 0, 1)).status).toBe(200);
      meanwhile = async () => {
        meanwhile = null;
        if (how === 'cut') isCut = true;
        else log.isMissing = true;
        timing.advance(2_000);
        await eventually(() => !node.ingest.isReady());
      };
      expect(await node.send(device, 1, 2)).toMatchObject({
        status: 503,
        body: { code: 'ERR_LOG_TRUNCATED' },
      });
    },
  );
});

describe('a log that does not answer', () => {
  it('does not hold up a node that ends', async () => {
    const log = new Log();
    log.isSilent = true;
    const node = await harness.node({ log: log.wrap });
    void node.ingest.ready();
    await eventually(() => log.looks.length > 0);
    await node.close();
    expect(node.ingest.isReady()).toBe(false);
  });

  it('is waited for as long as each answer may take, and no longer', async () => {
    const timing = new FakeTiming();
    const silent = {
      offsets: () => FOR_EVER,
      readRange: async function* () {
        yield [];
        await FOR_EVER;
      },
    };
    const reads = boundedReads(silent, { timing, waitMsMax: 100, stop: new AbortController().signal });
    const ends = reads.offsets(0);
    timing.advance(100);
    await expect(ends).rejects.toThrow('did not answer a read within 100 ms');
    const batches = reads.readRange(0, 0, 1)[Symbol.asyncIterator]();
    expect(await batches.next()).toEqual({ done: false, value: [] });
    const next = batches.next();
    timing.advance(100);
    await expect(next).rejects.toThrow('did not answer a read within 100 ms');
    expect(timing.timers).toBe(0);
  });
});
