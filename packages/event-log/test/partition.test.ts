import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@tachograph/wire';
import { murmur2, partitionOf } from '../src/index.ts';

describe('murmur2', () => {
  // The vectors of Kafka's own org.apache.kafka.common.utils.UtilsTest.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as Kafka does', (text, hash) => {
    expect(murmur2(utf8(text))).toBe(hash);
  });
});

describe('partitionOf', () => {
  it('takes the hash without its sign, as Kafka does', () => {
    expect(partitionOf('21', 7)).toBe((-973932308 & 0x7fffffff) % 7);
    expect(partitionOf('abc', 7)).toBe(479470107 % 7);
  });

  it('stays within the partitions, also for an empty key and for text beyond ASCII', () => {
    for (const key of ['', 'acme/ключ', 'acme/😀'])
      for (const count of [1, 4, 255]) {
        expect(partitionOf(key, count)).toBeGreaterThanOrEqual(0);
        expect(partitionOf(key, count)).toBeLessThan(count);
      }
  });
});
