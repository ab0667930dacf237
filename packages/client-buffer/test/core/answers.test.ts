import { describe, expect, it } from '@jest/globals';
import { classifyAppend, classifyJson } from '../../src/core/answers.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const answer = (status: number, body: unknown, retryAfter: string | null = null) =>
  classifyAppend(
    { kind: 'answer', status, retryAfter, body: typeof body === 'string' ? body : JSON.stringify(body) },
    NOW,
  );

describe('the table of statuses', () => {
  it('200 with a receipt, and what comes with it', () => {
    expect(
      answer(200, {
        receipt: '— x y\n',
        rejected: [{ index: 3, code: 'ERR_LEAF_JSON' }, { index: -0.5, code: 'ERR_X' }, 'x'],
        directives: ['d', 7],
        lease: 'l',
        deviceStatus: 'revoked',
        keys: 'k',
        nextCheckInSeconds: 60,
      }),
    ).toEqual({
      kind: 'receipt',
      receipt: '— x y\n',
      extras: {
        rejected: [{ index: 3, code: 'ERR_LEAF_JSON' }],
        directives: ['d'],
        deviceStatus: 'revoked',
        lease: 'l',
        keys: 'k',
        nextCheckInMs: 60_000,
      },
    });
  });
  it('409 and 422 with a checkpoint or with none at all', () => {
    expect(answer(409, { code: 'ERR_SIZE_CONFLICT', checkpoint: 'c' })).toMatchObject({
      kind: 'conflict',
      status: 409,
      checkpoint: 'c',
    });
    expect(answer(422, { code: 'ERR_ROOT_MISMATCH', checkpoint: null })).toMatchObject({
      kind: 'conflict',
      status: 422,
      checkpoint: null,
    });
  });
  const codes: [number, string][] = [
    [400, 'malformed'],
    [415, 'malformed'],
    [413, 'too-large'],
    [403, 'refused'],
    [404, 'refused'],
    [429, 'later'],
    [503, 'later'],
    [418, 'network'],
    [302, 'network'],
  ];
  it.each(codes)('%p with a code is %s', (status, kind) => {
    expect(answer(status, { code: 'ERR_SOMETHING' }).kind).toBe(kind);
  });
  it.each([200, 204, 302, 400, 403, 404, 409, 413, 422])(
    '%p without our JSON is a network failure',
    (status) => {
      expect(answer(status, '<html>').kind).toBe('network');
      expect(answer(status, { code: 'not one of ours' }).kind).toBe('network');
      expect(answer(status, 'null').kind).toBe('network');
    },
  );
  it('429 and 5xx say when, by header or by member, also from a proxy', () => {
    expect(answer(429, '', '7')).toEqual({ kind: 'later', code: 'ERR_NETWORK', retryAfterMs: 7_000 });
    expect(answer(503, { code: 'ERR_OVERLOADED', retryAfterSeconds: 9 })).toEqual({
      kind: 'later',
      code: 'ERR_OVERLOADED',
      retryAfterMs: 9_000,
    });
    expect(answer(502, '<html>', 'Sun, 22 Nov 2026 10:00:30 GMT')).toMatchObject({ retryAfterMs: 30_000 });
    expect(answer(429, '')).toMatchObject({ kind: 'later', retryAfterMs: null });
  });
  it('a wait of nonsense seconds is none', () => {
    expect(answer(200, { receipt: 'r', nextCheckInSeconds: -1 })).toMatchObject({
      extras: { nextCheckInMs: null },
    });
    expect(answer(503, { code: 'ERR_RATE', retryAfterSeconds: 'NaN' })).toMatchObject({ retryAfterMs: null });
  });
  it('a JSON answer is good only by its status and as an object', () => {
    const json = (status: number, body: string) =>
      classifyJson({ kind: 'answer', status, retryAfter: null, body }, NOW).kind;
    expect(json(201, '{}')).toBe('json');
    expect(json(200, '[]')).toBe('network');
    expect(json(403, '{"code":"ERR_TOKEN_USED"}')).toBe('refused');
  });
});
