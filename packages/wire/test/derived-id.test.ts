import { describe, expect, it } from '@jest/globals';
import { derivedEventId } from '../src/derived-id.ts';

describe('derived event ids', () => {
  it('are UUIDs of version 8 that depend on every fact and its place', () => {
    const id = derivedEventId('log.forked', 'a', 'b');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(derivedEventId('log.forked', 'a', 'b')).toBe(id);
    expect(derivedEventId('log.forked', 'b', 'a')).not.toBe(id);
    expect(derivedEventId('log.forked', 'ab')).not.toBe(id);
    expect(derivedEventId('log.gap', 'a', 'b')).not.toBe(id);
  });
});
