import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loseBroker, openOutageRoad, type OutageRoad } from './kafka-outage.ts';
import { expectWhole } from './kafka-road.ts';

let road: OutageRoad;
beforeAll(async () => {
  road = await openOutageRoad();
}, 120_000);
afterAll(() => road?.stop(), 60_000);

describe('a broker that is away for a minute, and goes again as soon as it is back', () => {
  it('loses nothing that was acknowledged (INV-06, INV-14)', async () => {
    await loseBroker(road, { how: 'pause', awayMs: 60_000 });
    await loseBroker(road, { how: 'kill', awayMs: 30_000 });
    await loseBroker(road, { how: 'kill', awayMs: 500 });
    await loseBroker(road, { how: 'pause', awayMs: 1_000 });
    await expectWhole(road.kafka.address, road.all, road.busy);
    expect(road.server.output()).not.toContain('"level":"fatal"');
  }, 400_000);
});
