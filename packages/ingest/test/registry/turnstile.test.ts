import { describe, expect, it } from '@jest/globals';
import { Turnstile } from '../../src/registry/turnstile.ts';
import { RegistryUnavailableError } from '../../src/registry/unavailable.ts';
import { FakeTiming } from '../fake-timing.ts';

/** Work that ends when it is told to. */
function work() {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { end, run: () => ended };
}

describe('a turnstile', () => {
  it('lets those who wait in one by one, in order', async () => {
    const turnstile = new Turnstile(1, 1_000, new FakeTiming());
    const first = work();
    const order: number[] = [];
    const all = [
      turnstile.pass(first.run),
      turnstile.pass(async () => void order.push(2)),
      turnstile.pass(async () => void order.push(3)),
    ];
    first.end();
    await Promise.all(all);
    expect(order).toEqual([2, 3]);
  });

  it('tells whoever has waited long enough that the registry is unavailable, and begins nothing for them', async () => {
    const timing = new FakeTiming();
    const turnstile = new Turnstile(1, 1_000, timing);
    const first = work();
    let begun = 0;
    const passing = turnstile.pass(first.run);
    const overdue = turnstile.pass(async () => void begun++);
    timing.advance(500);
    const patient = turnstile.pass(async () => void begun++);
    timing.advance(500);
    await expect(overdue).rejects.toBeInstanceOf(RegistryUnavailableError);
    first.end();
    await Promise.all([passing, patient]);
    expect(begun).toBe(1);
    expect(timing.timers).toBe(0);
  });

  it('gives the place of work that failed to the next', async () => {
    const turnstile = new Turnstile(1, 1_000, new FakeTiming());
    await expect(turnstile.pass(() => Promise.reject(new Error('injected')))).rejects.toThrow('injected');
    expect(await turnstile.pass(async () => 'passed')).toBe('passed');
  });
});
