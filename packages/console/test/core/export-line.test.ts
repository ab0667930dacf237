import { describe, expect, it } from '@jest/globals';
import { newRows, parseExportLine, type ExportRow } from '../../src/core/export-line.ts';

const LINE = {
  specversion: '1.0',
  id: 'Jx2kP0aQ/41/0123456789ab',
  source: 'localhost/demo/Jx2kP0aQ',
  type: 'item.reveal',
  time: '2026-11-23T10:00:00.000Z',
  sequence: '0000000000000041',
  recordedtime: '2026-11-23T10:02:00.500Z',
  lateness: '120500',
  leafhash: 'ab'.repeat(32),
  data: { id: 'e_1', targets: [{ type: 'item', id: 'i_11', name: 'Orders database' }] },
};

function row(more: Record<string, unknown> = {}): ExportRow | null {
  return parseExportLine(JSON.stringify({ ...LINE, ...more }));
}

describe('parseExportLine', () => {
  it('reads device, place, times and target of a CloudEvent', () => {
    expect(row()).toEqual({
      id: LINE.id,
      action: 'item.reveal',
      about: 'Orders database',
      occurred: LINE.time,
      received: LINE.recordedtime,
      latenessMs: 120_500,
      revocation: null,
      device: 'Jx2kP0aQ',
      index: 41,
      eventId: 'e_1',
      leafHash: LINE.leafhash,
    });
  });

  it('computes the lateness where the line does not state it', () => {
    expect(row({ lateness: undefined })?.latenessMs).toBe(120_500);
    expect(row({ lateness: 'soon' })?.latenessMs).toBe(120_500);
  });

  it('shows the code of an entry that is no event', () => {
    const rejected = {
      type: 'tachograph.rejected',
      rejected: 'ERR_LEAF_JSON',
      data: undefined,
      data_base64: 'AA==',
    };
    expect(row(rejected)).toMatchObject({
      action: 'tachograph.rejected',
      about: 'ERR_LEAF_JSON',
      eventId: null,
    });
  });

  it('names a target by its id where it has no name, and by nothing where there is none', () => {
    expect(row({ data: { targets: [{ type: 'item', id: 'i_11' }] } })?.about).toBe('i_11');
    expect(row({ data: { targets: 'i_11' } })?.about).toBe('');
    expect(row({ data: null })?.about).toBe('');
  });

  it('names the actor where there is no target, and says what failed', () => {
    const actor = { id: 'u_7', email: 'ana@acme.example' };
    expect(row({ data: { actor, outcome: 'failure' } })?.about).toBe('ana@acme.example, failed');
    expect(row({ data: { actor: { id: 'u_7' }, outcome: 'success' } })?.about).toBe('u_7');
  });

  it('says what was destroyed or held, and names devices by their beginning', () => {
    const device = 'q'.repeat(43);
    const purged = {
      actor: { id: device },
      data: { counts: { items: 9, files: 1 }, keys: 3, scopes: ['*'] },
    };
    expect(row({ data: purged, revocation: 'after' })).toMatchObject({
      about: '10 items, 3 keys',
      revocation: 'after',
    });
    expect(row({ data: { actor: { id: 'u_7' }, data: { held: 9 } } })?.about).toBe('9 items');
    expect(row({ data: { targets: [{ type: 'device', id: device }] } })?.about).toBe('device qqqqqq…');
    expect(row({ data: { actor: { id: device }, data: { counts: null, keys: 3 } } })?.about).toBe('');
  });

  it('answers null for a half-written line and for what is no CloudEvent', () => {
    for (const line of ['', '{"id":"x', 'null', '[]', '"text"', '{}', '{"id":"x","type":"y","time":"z"}'])
      expect(parseExportLine(line)).toBeNull();
  });
});

describe('newRows', () => {
  it('names what was not shown before', () => {
    const [a, b] = [row({ id: 'a' }), row({ id: 'b' })];
    expect([...newRows([a!], [b!, a!])]).toEqual(['b']);
  });
});
