import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HEADER } from '@tachograph/event-log';
import { utf8, utf8Text } from '@tachograph/wire';
import { raw } from '../../src/formats/raw.ts';
import { exportEvent } from '../support/export-event.ts';
import { eventLeaf } from '../support/test-device.ts';

const context = { exportedTime: '2026-11-23T08:00:00.000Z' };

describe('the format raw', () => {
  it('is the exact bytes of the leaf (INV-13)', () => {
    expect(raw.format(exportEvent(eventLeaf(3)), context)).toEqual({
      kind: 'line',
      text: utf8Text(eventLeaf(3)),
    });
  });

  it('has no place for rejected content, and gives the code as the reason', () => {
    const event = exportEvent(utf8('{"a":1}'), { [HEADER.rejected]: 'ERR_LEAF_SCHEMA' });
    expect(raw.format(event, context)).toEqual({ kind: 'unrepresentable', reason: 'ERR_LEAF_SCHEMA' });
  });

  it('has no place for what some readers take for two lines', () => {
    expect(raw.format(exportEvent(utf8('{"a":\r1}')), context).kind).toBe('unrepresentable');
  });

  it('is one line of UTF-8 JSON or nothing, whatever the leaf', () => {
    const leaves = fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes)),
      fc.json().map(utf8),
      fc.json().map((json) => utf8(`\r\n${json}`)),
    );
    fc.assert(
      fc.property(leaves, (leaf) => {
        const formatted = raw.format(exportEvent(leaf), context);
        if (formatted.kind === 'unrepresentable') return;
        const text = utf8Text(utf8(formatted.text));
        expect(text).not.toBeNull();
        expect(/[\r\n]/.test(text!)).toBe(false);
        expect(() => void JSON.parse(text!)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});
