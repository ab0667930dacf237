import { describe, expect, it } from '@jest/globals';
import type { LookupAddress } from 'node:dns';
import { promisify } from 'node:util';
import { guardedLookup, isPublicAddress, type Resolve } from '../../src/http/guarded-lookup.ts';

const PUBLIC: LookupAddress = { address: '93.184.215.14', family: 4 };
const PRIVATE: LookupAddress = { address: '10.0.0.8', family: 4 };

function lookUp(resolve: Resolve, all = true): Promise<unknown> {
  const guarded = guardedLookup(resolve);
  return promisify((callback: (error: Error | null, found: unknown) => void) => {
    guarded('hooks.example.com', { all }, (error, found) => callback(error, found));
  })();
}

describe('a guarded look-up', () => {
  it.each([
    ['93.184.215.14', true],
    ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', true],
    ['127.0.0.1', false],
    ['10.1.2.3', false],
    ['172.16.0.1', false],
    ['192.168.1.1', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['fc00::1', false],
    ['ff02::1', false],
    ['::ffff:10.0.0.8', false],
    ['64:ff9b::a00:8', false],
    ['2002:a00:8::1', false],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', false],
    ['no address', false],
  ])('knows whether %s is public: %s', (address, expected) => {
    expect(isPublicAddress(address)).toBe(expected);
  });

  it('answers what it has checked, and refuses a name of which one address is not public', async () => {
    expect(await lookUp(async () => [PUBLIC])).toEqual([PUBLIC]);
    expect(await lookUp(async () => [PUBLIC], false)).toBe(PUBLIC.address);
    await expect(lookUp(async () => [PUBLIC, PRIVATE])).rejects.toThrow(
      '10.0.0.8, which is no public address',
    );
    await expect(lookUp(async () => [])).rejects.toThrow('has no address');
    await expect(lookUp(() => Promise.reject(new Error('ENOTFOUND')))).rejects.toThrow('ENOTFOUND');
  });

  it('looks at each connection anew: a name that changes its mind is refused', async () => {
    const answers = [[PUBLIC], [PRIVATE]];
    const resolve: Resolve = async () => answers.shift()!;
    expect(await lookUp(resolve)).toEqual([PUBLIC]);
    await expect(lookUp(resolve)).rejects.toThrow('no public address');
  });
});
