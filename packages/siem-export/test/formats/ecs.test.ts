import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HEADER } from '@tachograph/event-log';
import { toHex, utf8Text } from '@tachograph/wire';
import type { ExportEvent } from '../../src/export-event.ts';
import { ACTION_MAPPINGS } from '../../src/formats/actions.ts';
import { ECS_CUSTOM_FIELDS, ECS_VERSION } from '../../src/formats/ecs-fields.ts';
import { ecs } from '../../src/formats/ecs.ts';
import { ecsErrors, PUBLISHED_ECS } from '../support/ecs-schema.ts';
import { auditEvent, DEVICE, EXAMPLES, EXPORTED, exported } from '../support/examples.ts';
import { legalEvent } from '../support/legal-events.ts';
import { dependencyVersion } from '../support/dependency-version.ts';

function lineOf(event: ExportEvent): string {
  const formatted = ecs.format(event, { exportedTime: EXPORTED });
  if (formatted.kind !== 'line') throw new Error(formatted.reason);
  return formatted.text;
}
const parse = (event: ExportEvent) => JSON.parse(lineOf(event)) as { [member: string]: unknown };

describe('the format ecs', () => {
  it.each(EXAMPLES)(
    'writes %s in fields of ECS and our own, of their types and closed sets',
    (_name, event) => {
      expect(ecsErrors(parse(event))).toEqual([]);
    },
  );

  it('is checked by a validator that does find what is wrong', () => {
    const document = { '@timestamp': '2026-11-22T10:00:00.123Z' };
    expect(ecsErrors({ ...document, widget: 1 })).toEqual(['widget is no field']);
    expect(ecsErrors({ ...document, client: { ip: 'nowhere' } })).toEqual(['client.ip is no ip']);
    expect(ecsErrors({ ...document, event: { kind: 'party' } })).toEqual(['event.kind may not be party']);
    expect(ecsErrors({ ...document, event: { type: 'info' } })).toEqual(['event.type is not a list']);
    expect(ecsErrors({ ...document, event: { category: ['iam'], type: ['access'] } })).toEqual([
      'no category of the event expects the type access',
    ]);
    expect(ecsErrors({ ...document, tachograph: { lateness_ms: '7' } })).toEqual([
      'tachograph.lateness_ms is no long',
    ]);
  });

  it('is of the version of the field list that it is checked by', () => {
    expect(ECS_VERSION).toBe(dependencyVersion('@elastic/ecs'));
  });

  it('has no field of its own where ECS has one of that name', () => {
    expect(Object.keys(ECS_CUSTOM_FIELDS).filter((name) => name in PUBLISHED_ECS)).toEqual([]);
  });

  it('takes a category and a type for every known action', () => {
    const without = [...ACTION_MAPPINGS].filter(
      ([, { ecs: row }]) => row.category.length === 0 || row.type.length === 0,
    );
    expect(without).toEqual([]);
  });

  it('says of a late event when it occurred, was received and was exported, and how sure that is', () => {
    expect(parse(exported(auditEvent('item.reveal')))).toMatchObject({
      '@timestamp': '2026-11-22T10:00:00.123Z',
      event: { created: '2026-11-25T07:59:58.000Z' },
      tachograph: {
        occurred: '2026-11-22T10:00:00.123Z',
        received: '2026-11-25T07:59:58.000Z',
        exported: EXPORTED,
        lateness_ms: 251_997_877,
        earliest: '2026-11-22T09:00:00.000Z',
        latest: '2026-11-22T10:00:00.500Z',
        estimate: 'monotonic',
        device_time: '2026-11-22T10:00:01.000Z',
        device_status: 'revoked',
        revocation: 'before',
      },
    });
  });

  it('says whose it is, where it stands in which log, and gives the signed bytes with their hash', () => {
    const event = exported(
      auditEvent('item.reveal', {
        targets: [{ type: 'user', id: 'u_8', name: 'Ben' }],
        data: { client: { ip_address: '2001:db8::7' } },
      }),
    );
    expect(parse(event)).toMatchObject({
      event: {
        id: event.headers[HEADER.id],
        action: 'item.reveal',
        kind: 'event',
        category: ['file'],
        type: ['access'],
        outcome: 'success',
        sequence: 4021,
        original: utf8Text(event.value),
        hash: toHex(event.leafHash!),
      },
      organization: { id: 'acme' },
      user: { id: 'u_7', email: 'ana@acme.example', target: { id: 'u_8', name: 'Ben' } },
      host: { id: DEVICE },
      device: { id: DEVICE },
      client: { ip: '2001:db8::7' },
      related: { user: ['u_7', 'ana@acme.example', 'Ana Lima', 'u_8', 'Ben'], ip: ['2001:db8::7'] },
      tachograph: { log: `audit.example.com/acme/${DEVICE}` },
    });
  });

  it.each(['fe80::1%eth0', '203.0.113', 'localhost'])('does not call %s an address', (address) => {
    const event = exported(auditEvent('signin.attempt', { data: { client: { ip_address: address } } }));
    expect(parse(event)).not.toHaveProperty('client');
    expect(parse(event)).toHaveProperty('tachograph.data.client.ip_address', address);
  });

  it('does not take the log of the server for a host', () => {
    const created = exported(auditEvent('tenant.created', { targets: [{ type: 'tenant', id: 'acme' }] }));
    expect(parse(created)).not.toHaveProperty('host');
  });

  it('lets no key with NUL through, for which Elasticsearch refuses the event', () => {
    const event = exported(auditEvent('widget.turned', { data: { 'a\0': [{ '\0b': '\0' }] } }));
    expect(parse(event)).toHaveProperty('tachograph.data', { 'a\ufffd': [{ '\ufffdb': '\0' }] });
  });

  it('has no place for what is no valid event, and says why', () => {
    const rejected = exported(auditEvent('item.reveal'), { [HEADER.rejected]: 'ERR_LEAF_SCHEMA' });
    expect(ecs.format(rejected, { exportedTime: EXPORTED })).toEqual({
      kind: 'unrepresentable',
      reason: 'ERR_LEAF_SCHEMA',
    });
  });

  it('is one line that shows nothing hidden and fits the fields, whatever a legal event holds', () => {
    fc.assert(
      fc.property(legalEvent, (event) => {
        const exportEvent = exported(event);
        const line = lineOf(exportEvent);
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        const parsed = JSON.parse(line) as { event: { original: string } };
        expect(ecsErrors(parsed)).toEqual([]);
        expect(parsed.event.original).toBe(utf8Text(exportEvent.value));
      }),
      { numRuns: 200 },
    );
  });
});
