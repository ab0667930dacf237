import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  formatVkey,
  keyNames,
  KEYS_NOTE,
  LEASE_NOTE,
  openStatement,
  parseAuthority,
  parseVkey,
  PURGE_NOTE,
  signStatement,
  type NoteKey,
  type Parsed,
} from '@tachograph/wire';
import { loadDirectiveKeys } from '../src/keys/directive-key.ts';
import { loadIngestKeys } from '../src/keys/load-keys.ts';
import { beginRotation, endRotation, type RotatingKey } from '../src/keys/rotation.ts';
import { enqueueEvent, INGEST_ACTOR } from '../src/tenant-log/outbox.ts';
import { AUTHORITY, eventually, Harness, TENANT, type Node } from './harness.ts';
import type { TestDevice } from './test-device.ts';

function need<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(`${parsed.fault.code}: ${parsed.fault.detail}`);
  return parsed.value;
}

const authority = need(parseAuthority(AUTHORITY));

let harness: Harness;
let node: Node;
let device: TestDevice;
beforeEach(async () => {
  harness = await Harness.create();
  node = await harness.node();
  device = await harness.enrolled(node, { subject: 'ana' });
});
afterEach(() => harness.close());

/** Takes one step of a rotation and restarts the server. */
async function step(kind: RotatingKey, which: 'begin' | 'end'): Promise<void> {
  await node.close();
  need(await (which === 'begin' ? beginRotation : endRotation)(harness.folder, authority, kind));
  harness.keys = need(await loadIngestKeys(harness.folder, authority));
  harness.directives = need(await loadDirectiveKeys(harness.folder, authority));
  node = await harness.node();
}

/** What a client knows that has opened this note with this pinned directive key. */
async function opened(note: string, pin: NoteKey) {
  const { keys, counter } = need(await openStatement(KEYS_NOTE, note, [pin]));
  return { counter, of: (name: string) => keys.filter((key) => key.name === name) };
}

async function checkIn() {
  const { length } = device.leaves;
  const { status, body } = await node.send(device, length, length, {});
  expect(status).toBe(200);
  return body;
}

async function served(): Promise<unknown> {
  return (await fetch(`${node.url}/v1/keys`)).json();
}

function directiveVkey(): NoteKey {
  return need(parseVkey(harness.keys.directiveKey));
}

describe('a rotation of the lease key', () => {
  it('is learnt from the same answer as the first lease by the new key, and leases by the old one stay good', async () => {
    const pin = directiveVkey();
    const { lease } = keyNames(authority);
    const before = await checkIn();
    await step('lease', 'begin');
    const during = await checkIn();
    const known = (await opened(during.keys!, pin)).of(lease);
    expect(known).toHaveLength(2);
    for (const note of [before.lease!, during.lease!]) need(await openStatement(LEASE_NOTE, note, known));
    expect(
      await openStatement(LEASE_NOTE, during.lease!, (await opened(before.keys!, pin)).of(lease)),
    ).toMatchObject({
      fault: { code: 'ERR_SIGNATURE' },
    });
    await step('lease', 'end');
    const after = await checkIn();
    const left = (await opened(after.keys!, pin)).of(lease);
    expect(left).toHaveLength(1);
    need(await openStatement(LEASE_NOTE, after.lease!, left));
  });
});

describe('a rotation of the cosigner', () => {
  it('lets a device with an old receipt go on, over both steps', async () => {
    const pin = directiveVkey();
    const { cosigner } = keyNames(authority);
    const old = (await opened((await checkIn()).keys!, pin)).of(cosigner);
    device.record(1);
    await step('cosigner', 'begin');
    const { receipt } = (await node.send(device, 0, 1)).body;
    const known = harness.keys.cosignerKeys;
    harness.keys = { ...harness.keys, cosignerKeys: old };
    expect(await harness.receiptTime(device, 1, receipt!)).not.toBeNull();
    harness.keys = { ...harness.keys, cosignerKeys: known };
    await step('cosigner', 'end');
    // Its `seen` names a cosignature by the old key: it still bounds what was recorded after it.
    device.record(1);
    expect((await node.send(device, 1)).status).toBe(200);
  });
});

describe('a rotation of the directive key', () => {
  it('has orders and keys notes signed by both while it lasts, so that every pin does', async () => {
    const old = directiveVkey();
    await step('directive', 'begin');
    const next = directiveVkey();
    expect(formatVkey(next)).not.toBe(formatVkey(old));
    await node.admin('POST', `/tenants/${TENANT}/subjects/ana/revoke`, { reason: 'left', purge: ['*'] });
    const { directives, keys } = await checkIn();
    for (const pin of [old, next]) {
      expect(need(await openStatement(PURGE_NOTE, directives![0]!, [pin])).origin).toBe(device.origin);
      expect((await opened(keys!, pin)).counter).toBe(2);
    }
  });

  it('ends with the new one alone; keys notes of before are still good to ingest', async () => {
    const old = directiveVkey();
    await step('directive', 'begin');
    await step('directive', 'end');
    expect(harness.directives.map(({ key }) => formatVkey(key))).toEqual([harness.keys.directiveKey]);
    const { keys } = await checkIn();
    expect((await opened(keys!, directiveVkey())).counter).toBe(3);
    expect(await openStatement(KEYS_NOTE, keys!, [old])).toMatchObject({ fault: { code: 'ERR_SIGNATURE' } });
    // The next rotation of another key goes on from there.
    await step('lease', 'begin');
    expect((await opened((await checkIn()).keys!, directiveVkey())).counter).toBe(4);
  });

  it('names the newer one while it lasts, which the older one signs too, and never the older one', async () => {
    const old = directiveVkey();
    await step('directive', 'begin');
    const { directive } = keyNames(authority);
    const named = async (pin: NoteKey) =>
      (await opened(harness.keys.keysNote, pin)).of(directive).map(formatVkey);
    for (const pin of [old, directiveVkey()]) expect(await named(pin)).toEqual([harness.keys.directiveKey]);
    // A rotation of another key meanwhile says so as well.
    await step('lease', 'begin');
    expect(await named(old)).toEqual([harness.keys.directiveKey]);
    await step('directive', 'end');
    expect(await named(directiveVkey())).toEqual([]);
  });

  it('leaves one handover note a rotation, which is served for ever; their chain reaches the key in force', async () => {
    let trusted = directiveVkey();
    await step('directive', 'begin');
    await step('lease', 'begin');
    await step('directive', 'end');
    await step('lease', 'end');
    await step('directive', 'begin');
    await step('directive', 'end');
    const { handovers } = harness.keys;
    expect(handovers).toHaveLength(2);
    expect(await served()).toEqual({
      keys: harness.keys.keysNote,
      directiveKey: harness.keys.directiveKey,
      handovers,
    });
    for (const note of handovers)
      [trusted] = (await opened(note, trusted)).of(keyNames(authority).directive) as [NoteKey];
    expect(formatVkey(trusted)).toBe(harness.keys.directiveKey);
  });

  it('is refused twice, and before it began', async () => {
    expect(await endRotation(harness.folder, authority, 'directive')).toMatchObject({
      fault: { code: 'ERR_EXISTS' },
    });
    need(await beginRotation(harness.folder, authority, 'directive'));
    expect(await beginRotation(harness.folder, authority, 'directive')).toMatchObject({
      fault: { code: 'ERR_EXISTS' },
    });
  });
});

/** Which log is the tenant's own now. */
async function ownLog(): Promise<string> {
  const query = node.registry.db.selectFrom('tenant_logs').select('device');
  return (await query.executeTakeFirstOrThrow()).device;
}

describe('a rotation of the log key', () => {
  it('lets each tenant’s own log go on in a new one that names it, with nothing lost and nothing twice', async () => {
    const revoke = (subject: string) =>
      node.admin('POST', `/tenants/${TENANT}/subjects/${subject}/revoke`, { reason: 'left' });
    await revoke('ben');
    const before = await node.tenantEvents();
    const old = await ownLog();
    await step('log', 'begin');
    await eventually(async () => (await ownLog()) !== old);
    await revoke('cem');
    const after = await node.tenantEvents();
    expect(before.map(({ action }) => action)).toEqual(['subject.revoked']);
    expect(await node.delivered(`${AUTHORITY}/${TENANT}/${old}`)).toHaveLength(1);
    expect(after.map(({ action }) => action)).toEqual(['log.opened', 'subject.revoked']);
    expect(after[0]!['data']).toEqual({ predecessor: `${AUTHORITY}/${TENANT}/${old}` });
  });

  it('makes no device of the old log, and keeps one partition', async () => {
    const old = await ownLog();
    await step('log', 'begin');
    await eventually(async () => (await ownLog()) !== old);
    await node.admin('POST', `/tenants/${TENANT}/subjects/cem/revoke`, { reason: 'left' });
    await node.tenantEvents();
    const { body } = await node.admin('GET', `/tenants/${TENANT}/devices`);
    expect((body['devices'] as unknown[]).length).toBe(1);
    const keys = (await node.records()).map(({ key }) => key);
    expect(new Set(keys).size).toBe(1);
    expect((await node.admin('POST', `/tenants/${TENANT}/revoke`, { reason: 'x' })).body['devices']).toBe(1);
  });

  it('drains first what waits under the old key', async () => {
    const old = await ownLog();
    const event = { tenant: TENANT, action: 'server.lost', actor: INGEST_ACTOR, at: harness.now } as const;
    await node.close();
    const registry = await harness.openRegistry();
    await registry.transaction((trx) => enqueueEvent(trx, event));
    await registry.close();
    await step('log', 'begin');
    await eventually(async () => (await ownLog()) !== old);
    expect(await node.delivered(`${AUTHORITY}/${TENANT}/${old}`)).toHaveLength(1);
    expect((await node.tenantEvents()).map(({ action }) => action)).toEqual(['log.opened']);
  });
});

describe('a stolen key of ingest', () => {
  it.each(['cosigners', 'lease', 'log'] as const)('(%s) cannot sign a purge', async (which) => {
    const [signer] = [harness.keys[which]].flat();
    const statement = { origin: device.origin, id: 'd-1', scopes: ['*'], reason: 'x', issued: harness.now };
    const forged = await signStatement(PURGE_NOTE, statement, signer!);
    expect(await openStatement(PURGE_NOTE, forged, [directiveVkey()])).toMatchObject({
      fault: { code: 'ERR_SIGNATURE' },
    });
    // Nor under the name of the directive key.
    const named = { ...signer!, key: { ...directiveVkey() } };
    const disguised = await signStatement(PURGE_NOTE, statement, named);
    expect(await openStatement(PURGE_NOTE, disguised, [directiveVkey()])).toMatchObject({
      fault: { code: 'ERR_SIGNATURE' },
    });
  });
});
