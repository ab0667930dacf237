import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loseBroker, openOutageRoad, type OutageRoad } from './kafka-outage.ts';
import { expectWhole } from './kafka-road.ts';

let road: OutageRoad;
beforeAll(async () => {
  road = await openOutageRoad();
}, 120_000);
afterAll(() => road?.stop(), 60_000);

describe('a broker that goes away in the midst of appends, for longer than an append may take', () => {
  it('stopped or killed, loses nothing that was acknowledged, and nobody waits for it (INV-06, INV-14)', async () => {
    await loseBroker(road, { how: 'pause', awayMs: 5_000 });
    await loseBroker(road, { how: 'kill', awayMs: 4_000 });
    await expectWhole(road.kafka.address, road.all, road.busy);
    expect(road.server.output()).not.toContain('"level":"fatal"');
  }, 180_000);
});
