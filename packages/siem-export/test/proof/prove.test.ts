import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { HEADER, openEmbeddedLog, type EventLog, type LogRecord } from '@tachograph/event-log';
import {
  appendLeaves,
  EMPTY_RANGE,
  inclusionProof,
  leafHash,
  noteKey,
  parseTlogProof,
  proofIncludes,
  SIGNATURE_TYPE,
  utf8,
  verifyNote,
} from '@tachograph/wire';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { inclusionPath } from '../../src/proof/inclusion.ts';
import { proveEvent } from '../../src/proof/prove.ts';
import { appendTo } from '../support/surroundings.ts';
import { TestDevice } from '../support/test-device.ts';

describe('an inclusion path', () => {
  it('is the same from a range and the leaves behind it as from all leaves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, cut, pick) => {
        const hashes = Array.from({ length: size }, (_, i) => leafHash(utf8(`${i}`)));
        const edge = cut % size;
        const index = edge + (pick % (size - edge));
        const range = appendLeaves(EMPTY_RANGE, hashes.slice(0, edge));
        expect(inclusionPath(range, hashes.slice(edge), index)).toEqual(inclusionProof(hashes, index));
      }),
    );
  });

  it('is refused for a leaf before the range or behind the end', () => {
    const hashes = [0, 1, 2].map((n) => leafHash(utf8(`${n}`)));
    const range = appendLeaves(EMPTY_RANGE, hashes.slice(0, 2));
    for (const index of [-1, 0, 1, 3, 1.5])
      expect(() => inclusionPath(range, hashes.slice(2), index)).toThrow(RangeError);
  });
});

describe('a proof of an event', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EventLog;
  beforeEach(async () => {
    dir = await tempDir();
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite') });
  });
  afterEach(async () => {
    await log.close();
    await dir.remove();
  });

  it('is checked by the tlog-proof alone: path, checkpoint, and the key of the device', async () => {
    const device = await TestDevice.make();
    const all: LogRecord[] = [];
    for (const count of [3, 1, 8, 2]) {
      const records = await device.appendEvents(count);
      await appendTo(log, records);
      all.push(...records);
    }
    const keys = [noteKey(device.origin, SIGNATURE_TYPE.ed25519, device.publicKey)];
    for (const [index, { headers, value }] of all.entries()) {
      const proven = await proveEvent(log, headers[HEADER.id]!);
      expect(proven).toMatchObject({ origin: device.origin, index, leaf: value });
      const parsed = parseTlogProof(proven!.proof);
      if (!parsed.ok) throw new Error(parsed.fault.detail);
      expect(proofIncludes(parsed.value, leafHash(value))).toBe(true);
      expect(proofIncludes(parsed.value, leafHash(utf8('another')))).toBe(false);
      expect(await verifyNote(parsed.value.checkpoint.note, keys)).toBe(true);
    }
  });

  it('is none for an event that the log does not have', async () => {
    expect(await proveEvent(log, 'device/0/0123456789ab')).toBeNull();
  });

  it('is refused where the log holds other bytes than were signed', async () => {
    const device = await TestDevice.make();
    const records = await device.appendEvents(2);
    await appendTo(log, [records[0]!, { ...records[1]!, value: utf8('{}') }]);
    await expect(proveEvent(log, records[1]!.headers[HEADER.id]!)).rejects.toThrow('its own checkpoint');
  });
});
