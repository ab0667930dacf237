import { describe, expect, it } from '@jest/globals';
import { nextPollMs } from '../../src/core/poll.ts';

describe('nextPollMs', () => {
  it('asks every second while lines arrive', () => {
    expect(nextPollMs({ quiet: 0, failures: 0 })).toBe(1_000);
    expect(nextPollMs({ quiet: 4, failures: 0 })).toBe(1_000);
  });

  it('slows down while nothing arrives, and sooner when nobody answers', () => {
    expect(nextPollMs({ quiet: 5, failures: 0 })).toBe(2_000);
    expect(nextPollMs({ quiet: 0, failures: 1 })).toBe(2_000);
  });

  it('never waits longer than eight seconds', () => {
    expect(nextPollMs({ quiet: 1e9, failures: 1e9 })).toBe(8_000);
  });
});
