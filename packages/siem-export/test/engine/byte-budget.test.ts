import { describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { ByteBudget } from '../../src/engine/byte-budget.ts';

/** Work that ends when it is told to. */
function work() {
  const events = new EventEmitter();
  let isRunning = false;
  return {
    begun: once(events, 'begun'),
    end: () => void events.emit('end'),
    isRunning: () => isRunning,
    run: async () => {
      isRunning = true;
      const ended = once(events, 'end');
      events.emit('begun');
      await ended;
      isRunning = false;
    },
  };
}

describe('the bytes that are under way', () => {
  it('stay within their bound, and are given out in the order in which they were asked for', async () => {
    const budget = new ByteBudget(100);
    const [large, next, small] = [work(), work(), work()];
    const first = budget.with(80, large.run);
    const second = budget.with(30, next.run);
    const third = budget.with(10, small.run);
    await large.begun;
    // The third would have room, and would keep the second waiting for ever if it always went first.
    expect([next.isRunning(), small.isRunning()]).toEqual([false, false]);
    large.end();
    await Promise.all([first, next.begun, small.begun]);
    next.end();
    small.end();
    await Promise.all([second, third]);
  });

  it('are given back when the work fails, and more than there are means all', async () => {
    const budget = new ByteBudget(100);
    await expect(budget.with(1_000, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await budget.with(100, async () => 'done')).toBe('done');
  });
});
