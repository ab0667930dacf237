import { describe, expect, it } from '@jest/globals';
import {
  ACTION_PATTERN,
  isReservedAction,
  LIBRARY_ACTIONS,
  LIMITS,
  TENANT_LOG_ACTIONS,
  utf8,
} from '../../src/index.ts';
import { CATALOGUE, parseLeaf } from '../../src/schema/index.ts';
import { codeOf, faultOf, valueOf } from '../support.ts';

const EVENT = {
  id: '0198c0de-0000-7000-8000-000000000001',
  time: '2026-11-22T10:00:00.123Z',
  action: 'app.custom',
  actor: { id: 'u_7' },
  outcome: 'success',
  online: false,
  clock: { boot: 'b3f1', ms: 81234.5 },
};
const GAP = { count: null, from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T11:00:00.000Z', reason: 'full' };
const leaf = (event: unknown) => utf8(JSON.stringify(event));
const without = (name: string) => Object.fromEntries(Object.entries(EVENT).filter(([key]) => key !== name));

describe('the event in a leaf', () => {
  it('is accepted with the required members alone, and with all of them', () => {
    expect(valueOf(parseLeaf(leaf(EVENT)))).toEqual(EVENT);
    const full = {
      ...EVENT,
      actor: { id: 'u_7', email: 'ana@acme.example', name: 'Ana', type: 'user' },
      targets: [{ type: 'item', id: 'i_42', name: 'prod-db' }],
      seen: { size: 4000, time: 1795341600 },
      session: 's_9',
      app: { name: 'vault', version: '4.2.0' },
      data: { vault: 'v_1' },
    };
    expect(valueOf(parseLeaf(leaf(full)))).toEqual(full);
  });

  it('keeps members that are not listed, at every level', () => {
    const event = {
      ...EVENT,
      action: 'item.reveal',
      extra: [1],
      actor: { id: 'u_7', roles: ['admin'] },
      targets: [{ type: 'item', id: 'i', colour: 'red' }],
      clock: { boot: 'b', ms: 1, drift: 2 },
      data: { vault: 'v', anything: { goes: null } },
    };
    expect(valueOf(parseLeaf(leaf(event)))).toEqual(event);
  });

  it('may have an action that nobody catalogued, with any data', () => {
    const event = { ...EVENT, action: 'my-app.thing_done.twice', data: { category: 17 } };
    expect(codeOf(parseLeaf(leaf(event)))).toBe('accepted');
  });

  it.each(Object.keys(EVENT))('needs its member %s', (name) => {
    expect(faultOf(parseLeaf(leaf(without(name))))).toMatchObject({ code: 'ERR_LEAF_SCHEMA', field: name });
  });

  it.each([
    ['id', 'id', 'no-uuid'],
    ['a time without milliseconds', 'time', '2026-11-22T10:00:00Z'],
    ['a time with an offset', 'time', '2026-11-22T10:00:00.123+01:00'],
    ['a day that does not exist', 'time', '2026-02-30T10:00:00.123Z'],
    ['an action of one word', 'action', 'login'],
    ['an action in capitals', 'action', 'Item.reveal'],
    ['an action of 65 characters', 'action', `a.${'b'.repeat(63)}`],
    ['an actor without an id', 'actor.id', { name: 'Ana' }, 'actor'],
    ['an actor that is an array', 'actor', []],
    ['an outcome of our own', 'outcome', 'ok'],
    ['online as text', 'online', 'false'],
    ['a clock without an origin', 'clock.boot', { ms: 1 }, 'clock'],
    ['a clock that is negative', 'clock.ms', { boot: 'b', ms: -1 }, 'clock'],
    ['targets as an object', 'targets', { type: 'item', id: 'i' }],
    ['a target without a type', 'targets.0.type', [{ id: 'i' }], 'targets'],
    ['65 targets', 'targets', Array.from({ length: 65 }, () => ({ type: 'item', id: 'i' }))],
    ['a fraction of a size', 'seen.size', { size: 0.5, time: 1 }, 'seen'],
    ['an empty session', 'session', ''],
    ['data as text', 'data', 'x'],
    ['data as an array', 'data', []],
    ['null for what is optional', 'session', null],
  ])('is refused with %s', (_, field, value, member = field) => {
    const fault = faultOf(parseLeaf(leaf({ ...EVENT, [member]: value })));
    expect({ code: fault.code, field: fault.field }).toEqual({ code: 'ERR_LEAF_SCHEMA', field });
  });

  it.each(['[]', '1', '"text"', 'null', 'true'])('is an object, not %s', (text) => {
    expect(codeOf(parseLeaf(utf8(text)))).toBe('ERR_LEAF_JSON');
  });

  it('passes on what strict JSON refuses', () => {
    const text = JSON.stringify(EVENT);
    expect(codeOf(parseLeaf(new Uint8Array()))).toBe('ERR_LEAF_EMPTY');
    expect(codeOf(parseLeaf(Uint8Array.of(0xff)))).toBe('ERR_LEAF_UTF8');
    expect(codeOf(parseLeaf(utf8(text.replace('{', '{"online":true,'))))).toBe('ERR_LEAF_DUPLICATE_KEY');
    expect(codeOf(parseLeaf(utf8(text.replace('{', '{"__proto__":{},'))))).toBe('ERR_LEAF_PROTO');
    expect(codeOf(parseLeaf(utf8(text.replace('{', '{"x":"\\ud800",'))))).toBe('ERR_LEAF_SURROGATE');
  });

  it('may nest its data to the limit and not beyond', () => {
    // `data` itself is the first level.
    const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
    expect(codeOf(parseLeaf(leaf({ ...EVENT, data: nested(LIMITS.jsonDepthMax) })))).toBe('accepted');
    expect(codeOf(parseLeaf(leaf({ ...EVENT, data: nested(LIMITS.jsonDepthMax + 1) })))).toBe(
      'ERR_LEAF_DEPTH',
    );
  });
});

describe('the catalogue', () => {
  it.each(Object.keys(CATALOGUE))('accepts %s, with members that it does not know', (action) => {
    const data = action === 'buffer.gap' ? GAP : {};
    expect(codeOf(parseLeaf(leaf({ ...EVENT, action, data })))).toBe('accepted');
    const more = { ...data, unknown_member: { deep: [1] } };
    expect(valueOf(parseLeaf(leaf({ ...EVENT, action, data: more }))).data).toEqual(more);
  });

  it('has only actions that fit the pattern, none of the tenant’s log, and all that the library writes', () => {
    for (const action of [...Object.keys(CATALOGUE), ...TENANT_LOG_ACTIONS, ...LIBRARY_ACTIONS]) {
      expect(action).toMatch(ACTION_PATTERN);
    }
    for (const action of LIBRARY_ACTIONS) expect(Object.keys(CATALOGUE)).toContain(action);
    for (const action of TENANT_LOG_ACTIONS) expect(Object.keys(CATALOGUE)).not.toContain(action);
  });

  it.each([
    ['signin.attempt', { category: 'other' }, 'data.category'],
    ['signin.attempt', { client: { ip_address: 4 } }, 'data.client.ip_address'],
    ['item.reveal', { vault: 7 }, 'data.vault'],
    ['item.reveal', { usedVersion: -1 }, 'data.usedVersion'],
    ['user.suspend', { objectId: {} }, 'data.objectId'],
    ['log.opened', { carriedFrom: 1.5 }, 'data.carriedFrom'],
    ['buffer.gap', undefined, 'data.count'],
    ['buffer.gap', { ...GAP, count: -1 }, 'data.count'],
    ['buffer.gap', { ...GAP, from: 'yesterday' }, 'data.from'],
    ['buffer.gap', { ...GAP, reason: '' }, 'data.reason'],
  ])('refuses %s with data %j', (action, data, field) => {
    const fault = faultOf(parseLeaf(leaf({ ...EVENT, action, data })));
    expect({ code: fault.code, field: fault.field }).toEqual({ code: 'ERR_LEAF_DATA', field });
  });

  it('does not mistake a name of the prototype for an entry', () => {
    expect(codeOf(parseLeaf(leaf({ ...EVENT, action: 'constructor.name' })))).toBe('accepted');
  });
});

describe('the actions of the tenant’s log', () => {
  it.each(TENANT_LOG_ACTIONS)('%s is refused from any other log', (action) => {
    expect(faultOf(parseLeaf(leaf({ ...EVENT, action })))).toMatchObject({
      code: 'ERR_LEAF_RESERVED',
      field: 'action',
    });
    expect(codeOf(parseLeaf(leaf({ ...EVENT, action }), { ofTenantLog: true }))).toBe('accepted');
  });

  it('and those of the library are not for apps to record', () => {
    for (const action of [...TENANT_LOG_ACTIONS, ...LIBRARY_ACTIONS])
      expect(isReservedAction(action)).toBe(true);
    expect(isReservedAction('item.reveal')).toBe(false);
  });
});
