import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HEADER } from '@tachograph/event-log';
import { toHex } from '@tachograph/wire';
import type { ExportEvent } from '../../src/export-event.ts';
import { CEF_KEYS, cefLine } from '../../src/formats/cef-syntax.ts';
import { cef } from '../../src/formats/cef.ts';
import { revealed } from '../../src/formats/hidden.ts';
import { readCef, valueOf } from '../support/cef-reader.ts';
import { auditEvent, DEVICE, EXAMPLES, EXPORTED, exported } from '../support/examples.ts';
import { HOSTILE, hostileText, legalEvent } from '../support/legal-events.ts';

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

function lineOf(event: ExportEvent): string {
  const formatted = cef.format(event, { exportedTime: EXPORTED });
  if (formatted.kind !== 'line') throw new Error(formatted.reason);
  return formatted.text;
}

describe('the format cef', () => {
  it.each(EXAMPLES)('writes %s as a line that a reader of the standard takes apart', (_name, event) => {
    const { head, extension } = readCef(lineOf(event));
    expect(head.slice(0, 4)).toEqual(['CEF:0', 'Tachograph', 'Tachograph', '1']);
    expect(head[4]).toBe(event.headers[HEADER.type]);
    expect(Number(head[6])).toBeGreaterThanOrEqual(0);
    expect(Number(head[6])).toBeLessThanOrEqual(10);
    expect(Object.keys(extension).filter((key) => !Object.hasOwn(CEF_KEYS, key))).toEqual([]);
    const labelled = Object.keys(extension).filter((key) => /^(cs|cn|c6a|flex|deviceCustom).*\d$/.test(key));
    expect(labelled.filter((key) => !(`${key}Label` in extension))).toEqual([]);
  });

  it('says of a late event when it occurred, was received and was exported, and how sure that is', () => {
    const occurred = String(Date.parse('2026-11-22T10:00:00.123Z'));
    expect(readCef(lineOf(exported(auditEvent('item.reveal')))).extension).toMatchObject({
      rt: occurred,
      start: occurred,
      end: occurred,
      deviceCustomDate1: String(Date.parse('2026-11-25T07:59:58.000Z')),
      deviceCustomDate1Label: 'received',
      deviceCustomDate2: String(Date.parse(EXPORTED)),
      deviceCustomDate2Label: 'exported',
      cn1: '251997877',
      cn1Label: 'lateness_ms',
      cs3: 'monotonic',
      cs3Label: 'estimate',
      cs4: '2026-11-22T09:00:00.000Z',
      cs4Label: 'earliest',
      cs5: '2026-11-22T10:00:00.500Z',
      cs5Label: 'latest',
      flexString1: 'revoked before',
      flexString1Label: 'device_status',
    });
  });

  it('says who did what to what, and which entry of which log it is', () => {
    const event = exported(
      auditEvent('item.export', {
        outcome: 'failure',
        targets: [
          { type: 'item', id: 'i_42', name: 'prod-db' },
          { type: 'user', id: 'u_8', name: 'Ben' },
        ],
        data: { client: { ip_address: '203.0.113.7' } },
      }),
    );
    const { head, extension } = readCef(lineOf(event));
    const hash = toHex(event.leafHash!);
    expect(head.slice(4)).toEqual(['item.export', 'An item was exported', '5']);
    expect(extension).toMatchObject({
      externalId: `4021/${hash.slice(0, 12)}`,
      deviceExternalId: DEVICE,
      outcome: 'failure',
      suid: 'u_7',
      suser: 'ana@acme.example',
      duid: 'u_8',
      duser: 'Ben',
      fileType: 'item',
      fileId: 'i_42',
      fname: 'prod-db',
      src: '203.0.113.7',
      cs1: `audit.example.com/acme/${DEVICE}`,
      cs2: hash,
      flexString2: 'acme',
      flexString2Label: 'tenant',
    });
  });

  it('names an address of IPv6 where version 0 has a place for one', () => {
    const event = exported(auditEvent('signin.attempt', { data: { client: { ip_address: '2001:db8::7' } } }));
    const { extension } = readCef(lineOf(event));
    expect(extension).toMatchObject({ c6a2: '2001:db8::7', c6a2Label: 'Source IPv6 Address' });
    expect(extension).not.toHaveProperty('src');
  });

  it.each(HOSTILE)('gives back %j from the extension and the head', (text) => {
    for (const value of [text, `a${text}`, `${text}z`, `a${text}b${text}`]) {
      const line = cefLine({ signatureId: value, name: value, severity: 1 }, { suid: value, cs1: 'next' });
      expect(line).not.toMatch(HIDDEN);
      expect(valueOf(readCef(line), 'suid')).toBe(value);
      expect(valueOf(readCef(line), 'cs1')).toBe('next');
      expect(readCef(line).head.slice(4, 6).map(revealed)).toEqual([value, value]);
    }
  });

  it('lets nobody forge a field, a line or what a terminal shows', () => {
    const name = 'x|10| suser=root \r\nCEF:0|Forged|\u001b[2K\u202e';
    const line = lineOf(exported(auditEvent('item.reveal', { actor: { id: 'u_7', name } })));
    expect(line).not.toMatch(HIDDEN);
    expect(readCef(line).extension['suser']).toBe('x|10| suser=root \r\nCEF:0|Forged|<U+001B>[2K<U+202E>');
  });

  it('cuts what the dictionary would cut, and says so', () => {
    const id = `${'a'.repeat(1021)}\u202eb`;
    const { suid } = readCef(lineOf(exported(auditEvent('item.reveal', { actor: { id } })))).extension;
    expect(suid).toBe(`${'a'.repeat(1021)}…`);
  });

  it('has no place for what is no valid event, and says why', () => {
    const rejected = exported(auditEvent('item.reveal'), { [HEADER.rejected]: 'ERR_LEAF_SCHEMA' });
    expect(cef.format(rejected, { exportedTime: EXPORTED })).toEqual({
      kind: 'unrepresentable',
      reason: 'ERR_LEAF_SCHEMA',
    });
  });

  it('gives back any text that fits', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (suid, duid) => {
        const cut = (text: string) => text.slice(0, 100).toWellFormed();
        const line = cefLine(
          { signatureId: 'a.b', name: 'n', severity: 1 },
          { suid: cut(suid), duid: cut(duid) },
        );
        expect(valueOf(readCef(line), 'suid')).toBe(cut(suid));
        expect(valueOf(readCef(line), 'duid')).toBe(cut(duid));
      }),
      { numRuns: 200 },
    );
  });

  it('is one line that shows nothing hidden and within the limits, whatever a legal event holds', () => {
    fc.assert(
      fc.property(legalEvent, (event) => {
        const line = lineOf(exported(event));
        expect(line).not.toMatch(HIDDEN);
        const { extension } = readCef(line);
        for (const [key, charactersMax] of Object.entries(CEF_KEYS)) {
          expect(extension[key]?.length ?? 0).toBeLessThanOrEqual(charactersMax ?? 64);
        }
        expect(extension['suid']?.endsWith('…') || valueOf(readCef(line), 'suid') === event.actor.id).toBe(
          true,
        );
      }),
      { numRuns: 200 },
    );
  });
});
