import { formatEdge, HEADER, type LogAlarm, type RecordHeaders } from '@tachograph/event-log';
import {
  leafHash,
  LIBRARY_ACTIONS,
  TENANT_LOG_ACTIONS,
  toHex,
  utf8,
  type AuditEvent,
} from '@tachograph/wire';
import { CATALOGUE } from '@tachograph/wire/schema';
import type { ExportEvent } from '../../src/export-event.ts';
import { findingOfAlarm } from '../../src/feed/alarm.ts';
import { noticeOf } from '../../src/feed/notice.ts';

export const EXPORTED = '2026-11-25T08:00:00.000Z';
export const DEVICE = 'Nk3cNO4pJ2M6cwQ1rYq2wRk3cNO4pJ2M6cwQ1rYq2wQ';
const ORIGIN = `audit.example.com/acme/${DEVICE}`;
const TENANT_LOG = 'audit.example.com/acme/Tk3cNO4pJ2M6cwQ1rYq2wRk3cNO4pJ2M6cwQ1rYq2wQ';

/** An event as it comes out of the filter, with every header that ingest may give it; it occurred days before. */
export function exported(event: object, headers: RecordHeaders = {}, origin = ORIGIN): ExportEvent {
  const value = utf8(JSON.stringify(event));
  const hash = leafHash(value);
  const device = origin.split('/')[2];
  return {
    headers: {
      [HEADER.contentType]: 'application/json',
      [HEADER.specVersion]: '1.0',
      [HEADER.id]: `${device}/4021/${toHex(hash).slice(0, 12)}`,
      [HEADER.source]: origin,
      [HEADER.type]: 'action' in event ? String(event.action) : '',
      [HEADER.time]: '2026-11-22T10:00:00.123Z',
      [HEADER.sequence]: '0000000000004021',
      [HEADER.recordedTime]: '2026-11-25T07:59:58.000Z',
      [HEADER.tenant]: 'acme',
      [HEADER.earliest]: '2026-11-22T09:00:00.000Z',
      [HEADER.latest]: '2026-11-22T10:00:00.500Z',
      [HEADER.estimate]: 'monotonic',
      [HEADER.lateness]: '251997877',
      [HEADER.deviceStatus]: 'revoked',
      [HEADER.revocation]: 'before',
      [HEADER.pending]: '120',
      [HEADER.oldest]: '2026-11-22T09:30:00.000Z',
      [HEADER.edge]: formatEdge({ size: 1, hashes: [new Uint8Array(32)] }),
      [HEADER.checkpoint]: 'YXVkaXQ=',
      [HEADER.traceparent]: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      ...headers,
    },
    value,
    leafHash: hash,
    partition: 0,
    offset: 7,
  };
}

/** A valid event of this action. */
export function auditEvent(action: string, more: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: '0198c0de-7a31-7cc2-9d5e-3f1a2b4c5d6e',
    time: '2026-11-22T10:00:01.000Z',
    action,
    actor: { id: 'u_7', email: 'ana@acme.example', name: 'Ana Lima', type: 'user' },
    outcome: 'success',
    online: false,
    clock: { boot: 'b3f1c0de', ms: 81234.5 },
    ...more,
  };
}

const CLIENT = {
  app_name: 'vault',
  os_name: 'macOS',
  os_version: '26.1',
  ip_address: '203.0.113.7',
};

const DETAILS: { readonly [action: string]: Partial<AuditEvent> } = {
  'signin.attempt': {
    outcome: 'failure',
    data: { category: 'mfa_failed', type: 'mfa', details: 'no answer', client: CLIENT },
    app: { name: 'vault', version: '4.2.0' },
  },
  'item.reveal': {
    targets: [{ type: 'item', id: 'i_42', name: 'prod-db' }],
    data: { vault: 'v_1', client: { ...CLIENT, ip_address: '2001:db8::7' } },
    seen: { size: 4000, time: 1_795_341_600 },
    session: 's_9',
    app: { name: 'vault', version: '4.2.0' },
  },
  'user.suspend': { targets: [{ type: 'user', id: 'u_8', name: 'ben@acme.example' }] },
  'group.update': { targets: [{ type: 'group', id: 'g_1', name: 'Admins' }] },
  'vault.grant': {
    targets: [
      { type: 'vault', id: 'v_1', name: 'Production' },
      { type: 'user', id: 'u_8' },
    ],
    data: { auxInfo: 'view items' },
  },
  'buffer.gap': {
    data: {
      count: null,
      from: '2026-11-22T10:00:00.000Z',
      to: '2026-11-22T11:00:00.000Z',
      reason: 'storage was full',
    },
  },
  'device.enrolled': {
    targets: [{ type: 'device', id: DEVICE, name: 'Ana’s laptop' }],
    data: { address: '203.0.113.7' },
  },
};

/** Every action that is known, one of an app's own, an event with nothing optional, and the exporter's alarms. */
export const EXAMPLES: readonly (readonly [name: string, event: ExportEvent])[] = [
  ...knownActions().map((action) => [action, exampleOf(action)] as const),
  ['an action of an app', exported(auditEvent('widget.turned', { data: { by: 90 } }))],
  ['an event with nothing optional', minimal()],
  ...alarms().map((event) => [`the alarm ${event.headers[HEADER.type]}`, event] as const),
];

export function knownActions(): string[] {
  return [...new Set([...Object.keys(CATALOGUE), ...LIBRARY_ACTIONS, ...TENANT_LOG_ACTIONS])];
}

function exampleOf(action: string): ExportEvent {
  const isServers = TENANT_LOG_ACTIONS.some((reserved) => reserved === action);
  const event = auditEvent(action, {
    ...(isServers ? { targets: [{ type: 'device', id: DEVICE }] } : {}),
    ...DETAILS[action],
  });
  return exported(event, {}, isServers ? TENANT_LOG : ORIGIN);
}

function minimal(): ExportEvent {
  const full = exported({ ...auditEvent('signin.attempt'), actor: { id: 'u_7' } });
  const { id, source, type, time } = HEADER;
  const headers = Object.fromEntries([id, source, type, time].map((name) => [name, full.headers[name]!]));
  return { ...full, headers };
}

function alarms(): ExportEvent[] {
  const full = exampleOf('item.reveal');
  const at = { ...full, key: `acme/${DEVICE}` };
  const common = { id: '0198c0de-7a31-8cc2-9d5e-3f1a2b4c5d6e', origin: ORIGIN, at };
  const indices = { from: 4, to: 9 };
  const told = (alarm: LogAlarm): ExportEvent => noticeOf(findingOfAlarm(alarm));
  return [
    told({ kind: 'log.gap', ...common, indices }),
    told({ kind: 'log.forked', ...common, indices, root: new Uint8Array(32), checkpoint: 'note\n' }),
    told({
      kind: 'log.invalid',
      id: common.id,
      origin: null,
      at: { ...at, headers: {} },
      reason: 'no edge',
      records: 3,
    }),
  ];
}
