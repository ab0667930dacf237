import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { derivedEventId, EMPTY_ROOT, forkEventId, toBase64 } from '../src/index.ts';
import { deviceOf } from './support.ts';

describe('derived event ids', () => {
  it('are UUIDs of version 8 that depend on every fact and its place', () => {
    const id = derivedEventId('log.forked', 'a', 'b');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(derivedEventId('log.forked', 'a', 'b')).toBe(id);
    expect(derivedEventId('log.forked', 'b', 'a')).not.toBe(id);
    expect(derivedEventId('log.forked', 'ab')).not.toBe(id);
    expect(derivedEventId('log.gap', 'a', 'b')).not.toBe(id);
  });

  it('of a fork stay the same for ever: kind, origin, size and root, each with a line feed', async () => {
    const { origin } = await deviceOf(1);
    const input = `log.forked\n${origin}\n7\n${toBase64(EMPTY_ROOT)}\n`;
    const hash = createHash('sha256').update(input).digest('hex');
    const id = forkEventId({ origin, size: 7, root: EMPTY_ROOT }).replaceAll('-', '');
    // All but the digit of the version and the two bits of the variant are the hash's.
    expect(id.slice(0, 12) + id.slice(13, 16) + id.slice(17)).toBe(
      hash.slice(0, 12) + hash.slice(13, 16) + hash.slice(17, 32),
    );
    expect(derivedEventId('log.forked', 'audit.example.com/acme/d', '7', toBase64(new Uint8Array(32)))).toBe(
      'd21e9792-bd2b-84cd-86e3-ce4ea0caaf36',
    );
  });
});
