import { describe, expect, it } from '@jest/globals';
import { addSample, drawSamples } from '../../src/core/sparkline.ts';

describe('the picture of the queue', () => {
  it('keeps one sample from before the window, so that the line enters from the left', () => {
    const samples = [1, 2, 70, 80].reduce(
      (kept, at) => addSample(kept, { at, pending: at }, 50),
      [] as readonly { at: number; pending: number }[],
    );
    expect(samples.map(({ at }) => at)).toEqual([2, 70, 80]);
  });

  it('draws steps: the queue keeps its length until the next sample', () => {
    const samples = [
      { at: 0, pending: 0 },
      { at: 50, pending: 4 },
    ];
    const { line, max } = drawSamples(samples, 100, 100, 100, 12);
    expect(max).toBe(4);
    expect(line).toBe('M0 11L0 11L50 11L50 1L100 1');
  });

  it('closes its area on the ground line', () => {
    const { area } = drawSamples([{ at: 90, pending: 1 }], 100, 100, 100, 12);
    expect(area).toBe('M90 1L90 1L100 1L100 12L90 12Z');
  });

  it('draws nothing without samples, and stays inside the frame for old ones', () => {
    expect(drawSamples([], 100, 100, 100, 12).line).toBe('');
    expect(drawSamples([{ at: -900, pending: 1 }], 100, 100, 100, 12).line).toBe('M0 1L0 1L100 1');
  });
});
