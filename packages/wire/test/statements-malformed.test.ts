import { describe, expect, it } from '@jest/globals';
import {
  ENROLMENT_NOTE,
  formatVkey,
  KEYS_NOTE,
  LEASE_NOTE,
  PURGE_NOTE,
  REQUEST_NOTE,
  RESTORE_NOTE,
  SUCCESSION_NOTE,
  toBase64,
  type Statement,
} from '../src/index.ts';
import {
  enrolment,
  grant,
  keys,
  lease,
  origin,
  purge,
  request,
  restore,
  root,
  succession,
} from './statement-samples.ts';
import { faultOf } from './support.ts';

const NUMBERS = ['', '-1', '+1', '01', '1.0', '1e3', ' 1', '1 ', '9007199254740992', 'NaN', '٤'];
const TIMES = [
  '',
  '0',
  '2026-11-22',
  '2026-11-22T10:00:00Z',
  '2026-11-22T10:00:00.1Z',
  '2026-11-22T10:00:00.1234Z',
  '2026-11-22T10:00:00.123+00:00',
  '2026-11-22T10:00:00.123z',
  '2026-11-22 10:00:00.123Z',
  '2026-02-30T10:00:00.123Z',
  '2026-11-22T24:00:00.000Z',
  '2026-11-22T10:00:60.000Z',
  '+012026-11-22T10:00:00.123Z',
  '-000001-11-22T10:00:00.123Z',
];
const TOKENS = ['', 'a b', 'ü', 'a\tb', 'x'.repeat(65), '\u007f'];
const ORIGINS = [
  '',
  'audit.example.com',
  `${origin}/`,
  origin.toUpperCase(),
  ` ${origin}`,
  origin.slice(0, -1),
];
const SCOPES = ['', ',', 'a,', ',a', 'a,,b', 'a,-', 'a b', 'ü', 'x'.repeat(129)];
const ROOTS = ['', 'AAAA', toBase64(root).slice(0, -1), `${toBase64(root)}=`, toBase64(new Uint8Array(33))];

/** What each line of each kind refuses: [line, field, code, texts]. */
const refused: [Statement<unknown>, string, [number, string, string, string[]][]][] = [
  [
    REQUEST_NOTE as Statement<unknown>,
    REQUEST_NOTE.format(request),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'size', 'ERR_NUMBER', NUMBERS],
      [3, 'nonce', 'ERR_STATEMENT', TOKENS],
      [4, 'wallClock', 'ERR_STATEMENT', TIMES],
      [5, 'boot', 'ERR_STATEMENT', TOKENS],
      [
        6,
        'monotonicMs',
        'ERR_STATEMENT',
        ['', '-1', '1.', '1.0', '1.10', '.5', '1.1234', '1e3', '01', '1000000000000', 'Infinity'],
      ],
      [7, 'pendingCount', 'ERR_NUMBER', NUMBERS],
      [8, 'oldestPending', 'ERR_STATEMENT', [...TIMES, '--', 'null']],
    ],
  ],
  [
    LEASE_NOTE as Statement<unknown>,
    LEASE_NOTE.format(grant),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'nonce', 'ERR_STATEMENT', TOKENS],
      [3, 'blockAfterSeconds', 'ERR_NUMBER', NUMBERS],
      [4, 'wipeAfterSeconds', 'ERR_NUMBER', NUMBERS],
      [5, 'scopes', 'ERR_STATEMENT', SCOPES],
    ],
  ],
  [
    PURGE_NOTE as Statement<unknown>,
    PURGE_NOTE.format(purge),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'id', 'ERR_STATEMENT', TOKENS],
      [3, 'scopes', 'ERR_STATEMENT', SCOPES],
      [4, 'reason', 'ERR_STATEMENT', ['a\tb', 'a\rb', '\u0000']],
      [5, 'issued', 'ERR_STATEMENT', TIMES],
    ],
  ],
  [
    SUCCESSION_NOTE as Statement<unknown>,
    SUCCESSION_NOTE.format(succession),
    [
      [1, 'oldOrigin', 'ERR_NAME', ORIGINS],
      [2, 'newOrigin', 'ERR_NAME', ORIGINS],
      [3, 'reason', 'ERR_STATEMENT', ['', 'Fork', 'fork ', 'other', 'constructor']],
    ],
  ],
  [
    ENROLMENT_NOTE as Statement<unknown>,
    ENROLMENT_NOTE.format(enrolment),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'challenge', 'ERR_STATEMENT', ['', 'a b', 'ü', 'x'.repeat(513)]],
      [3, 'credentialHash', 'ERR_STATEMENT', ['', 'abc', 'g'.repeat(64), 'A'.repeat(64), 'a'.repeat(65)]],
    ],
  ],
  [
    RESTORE_NOTE as Statement<unknown>,
    RESTORE_NOTE.format(restore),
    [
      [1, 'origin', 'ERR_NAME', ORIGINS],
      [2, 'size', 'ERR_NUMBER', NUMBERS],
      [3, 'root', 'ERR_STATEMENT', ROOTS],
    ],
  ],
  [
    KEYS_NOTE as Statement<unknown>,
    KEYS_NOTE.format(keys),
    [
      [1, 'authority', 'ERR_NAME', ['', 'Audit.example.com', 'https://audit.example.com', 'a b', 'a/b']],
      [2, 'counter', 'ERR_NUMBER', NUMBERS],
      [
        4,
        'keys',
        'ERR_VKEY',
        ['', 'x', ` ${formatVkey(lease.key)}`, formatVkey(lease.key).replace('lease', 'leasf')],
      ],
    ],
  ],
];

describe.each(refused.map(([kind, text, lines]) => ({ name: kind.name, kind, text, lines })))(
  'a malformed line of $name',
  ({ kind, text, lines }) => {
    it.each(lines)('%i (%s) is refused with %s and its name', (line, field, code, bad) => {
      const good = text.split('\n');
      for (const value of bad) {
        const fault = faultOf(kind.parse(good.with(line, value).join('\n')));
        expect({ value, code: fault.code, field: fault.field }).toEqual({ value, code, field });
      }
    });
  },
);
