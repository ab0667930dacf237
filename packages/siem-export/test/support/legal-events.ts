import * as fc from 'fast-check';
import { OUTCOMES, utf8, type AuditEvent } from '@tachograph/wire';
import { parseLeaf } from '@tachograph/wire/schema';
import { auditEvent, knownActions } from './examples.ts';

/** What breaks lines, terminals, delimiters and the sight of a reader. */
export const HOSTILE = [
  '\r\n',
  '\n',
  '\r',
  '|',
  '=',
  '\\',
  '\\n',
  ' cs1=forged',
  '\0',
  '\u001b[31m',
  '\u202e',
  '\u2066',
  '\u2028',
  '\u0085',
  '\u00a0',
  '\ufeff',
  '\u{e0041}',
  '<U+202E>',
  '<U+',
  ' ',
  '  ',
  '"',
  '\t',
  '\u007f',
  'CEF:0|',
  '=cmd()',
  '<script>',
  '…',
  'é',
  '🕵️‍♀️',
  '__proto__x',
] as const;

/** A text that an event may hold, mostly of what hurts. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 8 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join('').slice(0, 200).toWellFormed())
  .filter((text) => text.length > 0);

const action = fc.oneof(
  fc.constantFrom(...knownActions()),
  fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}\.[a-z][a-z0-9_-]{0,8}$/),
);

const time = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());

const client = fc.dictionary(
  fc.constantFrom('ip_address', 'os_name', 'os_version', 'app_name'),
  fc.oneof(hostileText, fc.ipV4(), fc.ipV6()),
);

const data = fc.oneof(
  fc.record({
    client,
    category: fc.constant('success'),
    details: fc.jsonValue({ maxDepth: 2 }),
    auxInfo: hostileText,
  }),
  fc.dictionary(hostileText, fc.jsonValue({ maxDepth: 4 })),
  fc.constant({ count: 3, from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T11:00:00.000Z', reason: 'r' }),
);

const parts = fc.record(
  {
    actor: fc.record(
      { id: hostileText, email: hostileText, name: hostileText, type: hostileText },
      { requiredKeys: ['id'] },
    ),
    targets: fc.array(
      fc.record(
        {
          type: fc.oneof(
            fc.constantFrom('user', 'group', 'device', 'item', '__proto__', 'constructor'),
            hostileText,
          ),
          id: hostileText,
          name: hostileText,
        },
        { requiredKeys: ['type', 'id'] },
      ),
      { maxLength: 4 },
    ),
    outcome: fc.constantFrom(...OUTCOMES),
    online: fc.boolean(),
    time,
    session: hostileText,
    app: fc.record({ name: hostileText, version: hostileText }, { requiredKeys: ['name'] }),
    data,
  },
  { requiredKeys: ['actor'] },
);

/** Any event that ingest accepts. */
export const legalEvent: fc.Arbitrary<AuditEvent> = fc
  .tuple(action, parts)
  .map(([name, more]) => auditEvent(name, more as Partial<AuditEvent>))
  .filter((event) => parseLeaf(utf8(JSON.stringify(event)), { ofTenantLog: true }).ok);
