import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BufferStatus } from '../src/audit-buffer.ts';
import { ledgerOf } from '../src/core/status.ts';
import { EMPTY_ROWS } from '../src/core/rows.ts';
import { StatusListeners } from '../src/status-listeners.ts';

const status: BufferStatus = {
  state: 'opening',
  ledger: ledgerOf(EMPTY_ROWS, 0, 0),
  origin: null,
  receipt: null,
  purge: null,
  problem: null,
};

describe('status listeners', () => {
  const original = globalThis.queueMicrotask;
  const tasks: (() => void)[] = [];
  const errors: unknown[] = [];

  beforeEach(() => {
    errors.length = 0;
    globalThis.queueMicrotask = (task) => void tasks.push(task);
  });
  afterEach(() => {
    globalThis.queueMicrotask = original;
  });

  /** Runs what is queued as an event loop does: what a task throws is reported, and the next one runs. */
  function runAll(): void {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      try {
        task();
      } catch (error) {
        errors.push(error);
      }
    }
  }

  it('are told at once when they come, and once for all the changes of a turn', () => {
    const listeners = new StatusListeners(() => status);
    let told = 0;
    listeners.add(() => told++);
    expect(told).toBe(1);
    for (let i = 0; i < 100; i++) listeners.notify();
    runAll();
    expect(told).toBe(2);
  });

  it('that throw keep no other from being told', () => {
    const listeners = new StatusListeners(() => status);
    let [armed, told] = [false, 0];
    listeners.add(() => {
      if (armed) throw new Error('the app');
    });
    listeners.add(() => told++);
    armed = true;
    listeners.notify();
    runAll();
    expect(told).toBe(2);
    expect(errors).toEqual([new Error('the app')]);
  });

  it('hear nothing any more once they have gone, not even what was on its way', () => {
    const listeners = new StatusListeners(() => status);
    let told = 0;
    const stop = listeners.add(() => told++);
    listeners.notify();
    stop();
    runAll();
    expect(told).toBe(1);
  });
});
