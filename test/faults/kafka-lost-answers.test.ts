import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { NOTHING_WRONG } from '../support/log-checker.ts';
import { openLossyRoad, sendThroughStorm, type LossyRoad } from './kafka-lost-answers.ts';

describe('the server over a Kafka whose Produce requests and responses are lost', () => {
  let road: LossyRoad;
  beforeAll(async () => {
    road = await openLossyRoad();
  }, 90_000);
  afterEach(() => {
    road.kafka.proxy.heal();
    road.kafka.proxy.release();
  });
  afterAll(() => road?.stop(), 60_000);

  it.each(['swallow', 'cut-before', 'cut-after', 'cut-within', 'hold-response'] as const)(
    'acknowledges, keeps and exports each event once where the first one meets "%s" (INV-06, INV-08, INV-13)',
    async (kind) => {
      const senders = await road.senders(2);
      const hits = road.kafka.proxy.hits().length;
      road.kafka.proxy.fail('produce', (nth) => (nth === 1 ? { kind } : undefined));
      for (const { device } of senders) device.record(20);
      await Promise.all(senders.map((sender) => sender.sendUpTo(20)));
      expect(road.kafka.proxy.hits().slice(hits)).toEqual([{ api: 'produce', nth: 1, kind }]);
      expect(await road.verdict(senders)).toMatchObject(NOTHING_WRONG);
    },
    60_000,
  );

  it('drops what a producer that was given up appends after the same events came another way (INV-06, INV-08, INV-13)', async () => {
    const [sender] = await road.senders(1);
    const { device } = sender!;
    const before = (await road.verdict([])).rawDuplicates;
    road.kafka.proxy.fail('produce', (nth) => (nth === 1 ? { kind: 'hold-request' } : undefined));
    device.record(5);
    // Nobody knows whether it will come, so it is not said to be refused: the client sends it again.
    expect((await sender!.attempt(5)).status).toBe(503);
    await sender!.sendUpTo(5);
    device.record(5);
    await sender!.sendUpTo(10);
    const { responses } = road.kafka.proxy.counts('produce');
    road.kafka.proxy.release();
    await eventually('the held append in the topic', () =>
      road.kafka.proxy.counts('produce').responses > responses ? true : null,
    );
    // The lane finds five records that it did not expect, reads them, and goes on.
    device.record(5);
    await sender!.sendUpTo(15);
    const { rawDuplicates, ...found } = await road.verdict([sender!]);
    expect(found).toMatchObject(NOTHING_WRONG);
    expect(rawDuplicates - before).toBe(5);
  }, 60_000);

  it(
    'survives a seeded storm with six devices that send at once (INV-06, INV-08, INV-13)',
    () => sendThroughStorm(road, { seed: 20_261_123, devices: 6, batches: 9, percent: 25 }),
    120_000,
  );
});
