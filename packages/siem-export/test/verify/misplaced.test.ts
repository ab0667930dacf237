import { describe, expect, it } from '@jest/globals';
import { misplaced } from '../../src/verify/misplaced.ts';

describe('what stands at another place than its own', () => {
  it.each<[string, number[], number[]]>([
    ['nothing', [1, 2, 3, 7], []],
    ['two that were swapped, next to each other', [1, 3, 2, 4], [3, 2]],
    ['two that were swapped around a third', [3, 2, 1], [3, 1]],
    ['two that were swapped far apart', [1, 9, 3, 4, 5, 6, 7, 8, 2], [9, 2]],
    ['one that was moved far forward', [9, 1, 2, 3, 4, 5, 6, 7, 8], [9]],
    ['one that was moved far back', [2, 3, 4, 5, 6, 7, 1], [1]],
    ['two that were swapped where others are missing', [1, 40, 20, 30, 10, 50], [40, 10]],
  ])('is %s', (_, arrivals, expected) => {
    expect(misplaced(arrivals)).toEqual(expected);
  });
});
