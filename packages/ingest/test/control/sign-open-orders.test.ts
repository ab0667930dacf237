import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  KEYS_NOTE,
  openStatement,
  parseAuthority,
  parseNote,
  parseVkey,
  PURGE_NOTE,
  signStatement,
  type NoteSigner,
  type Parsed,
} from '@tachograph/wire';
import { loadDirectiveKeys } from '../../src/keys/directive-key.ts';
import { loadIngestKeys } from '../../src/keys/load-keys.ts';
import { beginRotation, endRotation } from '../../src/keys/rotation.ts';
import { AUTHORITY, Harness, TENANT, type Node } from '../harness.ts';
import type { TestDevice } from '../test-device.ts';

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

/** Takes one step of a rotation of the directive key, restarts the server, and lets control do what it does by itself. */
async function step(which: 'begin' | 'end'): Promise<void> {
  await node.close();
  need(await (which === 'begin' ? beginRotation : endRotation)(harness.folder, authority, 'directive'));
  harness.keys = need(await loadIngestKeys(harness.folder, authority));
  harness.directives = need(await loadDirectiveKeys(harness.folder, authority));
  node = await harness.node();
  await node.ingest.sweep();
}

async function order(): Promise<string> {
  await node.admin('POST', `/tenants/${TENANT}/subjects/ana/revoke`, { reason: 'left', purge: ['*'] });
  return (await ordered())[0]!;
}

async function ordered(): Promise<readonly string[]> {
  return (await node.send(device, 0, 0, {})).body.directives!;
}

function plant(id: string, note: string, confirmedAt: number | null = null): Promise<unknown> {
  const row = {
    id,
    note,
    tenant: TENANT,
    device: device.device,
    issued_at: 1,
    confirmed_at: confirmedAt,
  };
  return node.registry.db.insertInto('directives').values(row).execute();
}

function purgeBy(signer: NoteSigner): Promise<string> {
  const value = { origin: device.origin, id: 'd-x', scopes: ['*'], reason: 'x', issued: harness.now };
  return signStatement(PURGE_NOTE, value, signer);
}

async function noteOf(id: string): Promise<string> {
  const query = node.registry.db.selectFrom('directives').select('note').where('id', '=', id);
  return (await query.executeTakeFirstOrThrow()).note;
}

describe('an order that a device has not confirmed when the directive key is rotated', () => {
  it('is the same order under both signatures, and goes on under the newer one when the rotation has ended', async () => {
    const before = await order();
    await step('begin');
    const [during] = await ordered();
    expect(need(parseNote(during!)).text).toBe(need(parseNote(before)).text);
    for (const { key } of harness.directives) need(await openStatement(PURGE_NOTE, during!, [key]));
    await node.ingest.sweep();
    expect(await ordered()).toEqual([during]);
    await step('end');
    expect(await ordered()).toEqual([during]);
    need(await openStatement(PURGE_NOTE, during!, [need(parseVkey(harness.keys.directiveKey))]));
  });

  it('gets every open one signed, over more than a page', async () => {
    const [old] = harness.directives;
    const note = await purgeBy(old!);
    for (let i = 0; i < 201; i++) await plant(`p-${String(i).padStart(3, '0')}`, note);
    await step('begin');
    for (const id of ['p-000', 'p-099', 'p-100', 'p-200'])
      need(await openStatement(PURGE_NOTE, await noteOf(id), [harness.directives[1]!.key]));
  });

  it('is left as it is outside a rotation, and when it is confirmed', async () => {
    const note = await order();
    await node.ingest.sweep();
    expect(await ordered()).toEqual([note]);
    await plant('done', note, harness.now);
    await step('begin');
    expect(await noteOf('done')).toBe(note);
  });
});

describe('whoever can write to the registry', () => {
  it('gets no signature of the directive key for an order that no directive key has signed', async () => {
    const { lease, keysNote } = harness.keys;
    const disguised = { ...lease, key: harness.directives[0]!.key };
    const planted = [await purgeBy(lease), await purgeBy(disguised), 'no note', ''];
    for (const [i, note] of planted.entries()) await plant(`f-${i}`, note);
    // A true note of the directive key, which is no order.
    await plant('keys', keysNote);
    need(await openStatement(KEYS_NOTE, keysNote, [harness.directives[0]!.key]));
    await step('begin');
    for (const [i, note] of planted.entries()) expect(await noteOf(`f-${i}`)).toBe(note);
    expect(await noteOf('keys')).toBe(keysNote);
  });
});
