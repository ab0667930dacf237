import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HEADER } from '@tachograph/event-log';
import { toHex, utf8Text } from '@tachograph/wire';
import type { ExportEvent } from '../../src/export-event.ts';
import { ACTION_MAPPINGS } from '../../src/formats/actions.ts';
import { activityUid, OCSF_CLASSES, OCSF_PROFILES, OCSF_VERSION } from '../../src/formats/ocsf-classes.ts';
import { ocsf } from '../../src/formats/ocsf.ts';
import { auditEvent, DEVICE, EXAMPLES, EXPORTED, exported, knownActions } from '../support/examples.ts';
import { legalEvent } from '../support/legal-events.ts';
import { ocsfErrors, PUBLISHED_OCSF } from '../support/ocsf-schema.ts';

type OcsfEvent = { readonly class_uid: number; readonly [member: string]: unknown };

function lineOf(event: ExportEvent): string {
  const formatted = ocsf.format(event, { exportedTime: EXPORTED });
  if (formatted.kind !== 'line') throw new Error(formatted.reason);
  return formatted.text;
}
const parse = (event: ExportEvent) => JSON.parse(lineOf(event)) as OcsfEvent;

describe('the format ocsf', () => {
  it.each(EXAMPLES)('writes %s as the published schema wants it', (_name, event) => {
    expect(ocsfErrors(parse(event))).toEqual([]);
  });

  it('is checked by a validator that does find what is wrong', () => {
    const event = parse(exported(auditEvent('item.reveal')));
    const { web_resources: _resources, ...without } = event;
    expect(ocsfErrors(without)).toHaveLength(1);
    expect(ocsfErrors({ ...event, invented: 1 })).toHaveLength(1);
    expect(ocsfErrors({ ...event, activity_id: 55 })).toHaveLength(1);
    expect(ocsfErrors({ ...event, src_endpoint: { ip: 'nowhere' } })).not.toEqual([]);
  });

  it('names version, profile, classes, categories and activities as the published schema does', () => {
    expect([OCSF_VERSION, OCSF_PROFILES]).toEqual([PUBLISHED_OCSF.version, PUBLISHED_OCSF.profiles]);
    for (const { uid, caption, category, activities } of Object.values(OCSF_CLASSES)) {
      const published = PUBLISHED_OCSF.classes[String(uid)];
      expect([caption, category]).toEqual([published?.caption, published?.category]);
      for (const [name, id] of Object.entries(activities)) expect(published?.activities[id]).toBe(name);
    }
  });

  it('uses the class’s own activity where it has one of that name', () => {
    for (const { ocsf: row } of ACTION_MAPPINGS.values()) {
      const { activities } = PUBLISHED_OCSF.classes[String(OCSF_CLASSES[row.class].uid)]!;
      const own = Object.entries(activities).find(([, caption]) => caption === row.activity);
      expect(activityUid(OCSF_CLASSES[row.class], row.activity)).toBe(
        own === undefined ? 99 : Number(own[0]),
      );
    }
  });

  it('has a row for every action that is known, and no other', () => {
    expect([...ACTION_MAPPINGS.keys()].toSorted()).toEqual(knownActions().toSorted());
  });

  it('says of a late event when it occurred, was received and was exported, and how sure that is', () => {
    const event = parse(exported(auditEvent('item.reveal')));
    expect(event).toMatchObject({
      time: Date.parse('2026-11-22T10:00:00.123Z'),
      metadata: {
        original_time: '2026-11-22T10:00:01.000Z',
        logged_time: Date.parse('2026-11-25T07:59:58.000Z'),
        processed_time: Date.parse(EXPORTED),
      },
      unmapped: {
        tachograph: {
          occurred: '2026-11-22T10:00:00.123Z',
          received: '2026-11-25T07:59:58.000Z',
          exported: EXPORTED,
          lateness_ms: 251_997_877,
          earliest: '2026-11-22T09:00:00.000Z',
          latest: '2026-11-22T10:00:00.500Z',
          estimate: 'monotonic',
          device_status: 'revoked',
          revocation: 'before',
        },
      },
    });
  });

  it('says whose it is, where it stands in which log, and gives the signed bytes with their hash', () => {
    const exportEvent = exported(auditEvent('item.reveal'));
    expect(parse(exportEvent)).toMatchObject({
      class_uid: 6001,
      activity_id: 2,
      type_uid: 600_102,
      metadata: {
        uid: exportEvent.headers[HEADER.id],
        original_event_uid: '0198c0de-7a31-7cc2-9d5e-3f1a2b4c5d6e',
        tenant_uid: 'acme',
        sequence: 4021,
        log_name: `audit.example.com/acme/${DEVICE}`,
        correlation_uid: '0af7651916cd43dd8448eb211c80319c',
      },
      actor: { user: { uid: 'u_7', name: 'ana@acme.example', email_addr: 'ana@acme.example', type_id: 1 } },
      device: { uid: DEVICE },
      raw_data: utf8Text(exportEvent.value),
      raw_data_size: exportEvent.value.length,
      raw_data_hash: { algorithm_id: 99, value: toHex(exportEvent.leafHash!) },
    });
  });

  it('makes of an app’s own action the base event under its own name, and keeps what it says', () => {
    expect(
      parse(exported({ ...auditEvent('widget.turned', { data: { by: 90 } }), extra: [1] })),
    ).toMatchObject({
      class_uid: 0,
      activity_id: 99,
      activity_name: 'widget.turned',
      unmapped: { event: { data: { by: 90 }, extra: [1], online: false } },
    });
  });

  it('finds the object of an administrative change in `data` where it names no target', () => {
    const suspended = auditEvent('user.suspend', { data: { objectType: 'user', objectId: 'u_8' } });
    expect(parse(exported(suspended))).toMatchObject({
      class_uid: 3001,
      activity_id: 5,
      user: { uid: 'u_8' },
    });
  });

  it('sorts a failure above an ordinary success, and leaves the status of a finding to its handling', () => {
    const failed = auditEvent('signin.attempt', { outcome: 'failure' });
    expect(parse(exported(failed))).toMatchObject({ status: 'Failure', status_id: 2, severity: 'Low' });
    const gap = EXAMPLES.find(([name]) => name === 'the alarm log.gap')![1];
    expect(parse(gap)).toMatchObject({ status: 'New', severity_id: 4, is_alert: true });
  });

  it('has no place for what is no valid event, and says why', () => {
    const rejected = exported(auditEvent('item.reveal'), { [HEADER.rejected]: 'ERR_LEAF_SCHEMA' });
    expect(ocsf.format(rejected, { exportedTime: EXPORTED })).toEqual({
      kind: 'unrepresentable',
      reason: 'ERR_LEAF_SCHEMA',
    });
    const forged = exported({ ...auditEvent('item.reveal'), actor: 7 });
    expect(ocsf.format(forged, { exportedTime: EXPORTED }).kind).toBe('unrepresentable');
  });

  it('is one line that shows nothing hidden and validates, whatever a legal event holds', () => {
    fc.assert(
      fc.property(legalEvent, (event) => {
        const exportEvent = exported(event);
        const line = lineOf(exportEvent);
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        const parsed = JSON.parse(line) as OcsfEvent;
        expect(ocsfErrors(parsed)).toEqual([]);
        expect(parsed['raw_data']).toBe(utf8Text(exportEvent.value));
      }),
      { numRuns: 200 },
    );
  });
});
