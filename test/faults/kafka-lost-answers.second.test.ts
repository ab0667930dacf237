import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { openLossyRoad, sendThroughStorm, type LossyRoad } from './kafka-lost-answers.ts';

describe('the server over a Kafka whose Produce requests and responses are lost, for long', () => {
  let road: LossyRoad;
  beforeAll(async () => {
    road = await openLossyRoad();
  }, 90_000);
  afterAll(() => road?.stop(), 60_000);

  it.each([1, 2, 3, 4, 5])(
    'survives the storm of seed %d with twelve devices that send at once (INV-06, INV-08, INV-13)',
    (seed) => sendThroughStorm(road, { seed, devices: 12, batches: 15, percent: 30 }),
    180_000,
  );
});
