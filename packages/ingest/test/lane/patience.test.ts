import { describe, expect, it } from '@jest/globals';
import { Patience } from '../../src/lane/patience.ts';
import { FakeTiming } from '../fake-timing.ts';

function started() {
  const timing = new FakeTiming();
  const patience = new Patience(timing, () => undefined);
  const settle = (ms: number): void => {
    patience.begin();
    timing.advance(ms);
    patience.settled();
  };
  return { timing, patience, settle };
}

describe('patience with the log', () => {
  it('lasts a second for a log of which nothing is known', () => {
    const { timing, patience } = started();
    patience.begin();
    timing.advance(999);
    expect(patience.isOver).toBe(false);
    timing.advance(1);
    expect(patience.isOver).toBe(true);
  });

  it('lasts 80 ms for a log that is usually quick', () => {
    const { timing, patience, settle } = started();
    for (let i = 0; i < 50; i++) settle(5);
    patience.begin();
    timing.advance(79);
    expect(patience.isOver).toBe(false);
    timing.advance(1);
    expect(patience.isOver).toBe(true);
  });

  it('lasts as long as a slow log usually takes', () => {
    const { timing, patience, settle } = started();
    for (let i = 0; i < 50; i++) settle(i % 2 === 0 ? 200 : 300);
    patience.begin();
    timing.advance(400);
    expect(patience.isOver).toBe(false);
    timing.advance(200);
    expect(patience.isOver).toBe(true);
  });

  it('never lasts longer than it takes whoever is refused to come again', () => {
    const { timing, patience, settle } = started();
    for (let i = 0; i < 10; i++) settle(5_000);
    patience.begin();
    timing.advance(1_999);
    expect(patience.isOver).toBe(false);
    timing.advance(1);
    expect(patience.isOver).toBe(true);
  });

  it('does not run out while this process itself stands still', () => {
    const { timing, patience, settle } = started();
    settle(5);
    patience.begin();
    timing.freeze(10_000);
    expect(patience.isOver).toBe(false);
  });

  it('starts anew with each wait, and is at rest in between', () => {
    const { timing, patience, settle } = started();
    settle(5);
    patience.begin();
    timing.advance(500);
    expect(patience.isOver).toBe(true);
    patience.begin();
    expect(patience.isOver).toBe(false);
    patience.end();
    expect(timing.timers).toBe(0);
    timing.advance(10_000);
    expect(patience.isOver).toBe(false);
  });
});
