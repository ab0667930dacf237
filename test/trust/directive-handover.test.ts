import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  formatVkey,
  keyNames,
  KEYS_NOTE,
  noteKey,
  parseAuthority,
  parseVkey,
  PURGE_NOTE,
  SIGNATURE_TYPE,
  ed25519Signer,
  generateEd25519,
  signStatement,
  type NoteKey,
  type NoteSigner,
  type Origin,
} from '@tachograph/wire';
import { AUTHORITY, Deployment, need, record, until, type Victim } from './hostile-road.ts';

const authority = need(parseAuthority(AUTHORITY));
const names = keyNames(authority);

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.start();
});
afterEach(() => deployment.close());

/** A whole rotation of the directive key, over which no device is online. */
async function rotate(): Promise<void> {
  await deployment.rotate('directive', 'begin');
  await deployment.node.ingest.sweep();
  await deployment.rotate('directive', 'finish');
}

/** The device is back, and sends what it recorded. */
async function uploads({ audit, clock }: Victim): Promise<void> {
  deployment.advance(61_000, clock);
  await record(audit, 1);
  await audit.flush();
  expect(audit.status()).toMatchObject({ ledger: { pending: 0 } });
}

/** The newest keys are taken, and an order by the directive key in force is carried out. */
async function obeys(victim: Victim): Promise<void> {
  const { audit, app, device } = victim;
  await deployment.rotate('cosigner', 'begin');
  await deployment.rotate('cosigner', 'finish');
  await uploads(victim);
  await deployment.revoke(device);
  await uploads(victim);
  await until(() => audit.status().purge?.state === 'purged', 'purged');
  expect(app.isEmpty).toBe(true);
}

/** A device that pins the directive key of the start, and one that pinned the first one it saw. */
const PINS = [
  ['in its configuration', {}],
  ['when it enrolled', { directiveKey: [] }],
] as const;

describe.each(PINS)('a device that pinned the directive key %s', (_, config) => {
  it('goes over while it is rotated, and obeys the new key when the old one is gone', async () => {
    const victim = await deployment.victim(config);
    await uploads(victim);
    await deployment.rotate('directive', 'begin');
    await uploads(victim);
    await deployment.rotate('directive', 'finish');
    await uploads(victim);
    await obeys(victim);
    expect(victim.audit.status().problem).toBeNull();
    await victim.audit.close();
  });

  it('goes over when it comes back from being offline all the time', async () => {
    const victim = await deployment.victim(config);
    await rotate();
    await obeys(victim);
    expect(victim.audit.status().problem).toBeNull();
    await victim.audit.close();
  });

  it('goes over two rotations at once, and over those of other keys between them', async () => {
    const victim = await deployment.victim(config);
    await rotate();
    await deployment.rotate('lease', 'begin');
    await deployment.rotate('lease', 'finish');
    await rotate();
    await obeys(victim);
    expect(victim.audit.status().problem).toBeNull();
    await victim.audit.close();
  });
});

describe('an order from before the rotation', () => {
  it('reaches a device that was offline over all of it', async () => {
    const victim = await deployment.victim();
    await deployment.revoke(victim.device);
    await rotate();
    await uploads(victim);
    await until(() => victim.audit.status().purge?.state === 'purged', 'purged');
    expect(victim.app.isEmpty).toBe(true);
    await victim.audit.close();
  });
});

async function stranger(): Promise<NoteSigner> {
  const { privateKey, publicKey } = await generateEd25519(true);
  return {
    key: noteKey(names.directive, SIGNATURE_TYPE.ed25519, publicKey),
    sign: ed25519Signer(privateKey),
  };
}

function handover(to: NoteKey, ...signers: readonly NoteSigner[]): Promise<string> {
  return signStatement(KEYS_NOTE, { authority, counter: 99, keys: [to] }, ...signers);
}

/** Whoever holds the road serves a handover in every place there is for one, and an order by the key that it names. */
async function isRefused(victim: Victim, note: string, to: NoteSigner): Promise<void> {
  const { audit, app, road, origin, clock } = victim;
  const order = { id: 'd-1', scopes: ['*'], reason: 'x', issued: deployment.harness.now };
  const directive = await signStatement(PURGE_NOTE, { origin: origin as Origin, ...order }, to);
  road.changeKeys = (body) => ({ ...body, directiveKey: formatVkey(to.key), handovers: [note] });
  road.change = (body) => ({ ...body, keys: note, directives: [directive] });
  const seen: (string | undefined)[] = [];
  const unsubscribe = audit.subscribe(({ problem }) => seen.push(problem?.code));
  deployment.advance(61_000, clock);
  await record(audit, 1);
  await audit.flush();
  unsubscribe();
  expect(seen).toContain('ERR_VKEY');
  expect(seen).toContain('ERR_SIGNATURE');
  expect(audit.status()).toMatchObject({ purge: null, ledger: { pending: 0 } });
  expect(app.calls).toEqual([]);
  road.honest();
  await uploads(victim);
}

describe('a handover', () => {
  it.each(['cosigners', 'lease', 'log'] as const)(
    'cannot be made with a stolen key of the %s, under its own name or that of the directive key (INV-23)',
    async (kind) => {
      const victim = await deployment.victim();
      const thief = await stranger();
      const stolen = [deployment.harness.keys[kind]].flat()[0]!;
      const disguised = { ...stolen, key: need(parseVkey(deployment.harness.keys.directiveKey)) };
      for (const signer of [stolen, disguised]) {
        await isRefused(victim, await handover(thief.key, signer, thief), thief);
      }
      await victim.audit.close();
    },
  );

  it('by a stranger, or by the directive key of another authority, is refused', async () => {
    const victim = await deployment.victim();
    const thief = await stranger();
    await isRefused(victim, await handover(thief.key, thief), thief);
    const elsewhere = { ...thief, key: noteKey('other.example.com/directive', 1, thief.key.publicKey) };
    await isRefused(victim, await handover(thief.key, elsewhere, thief), thief);
    await victim.audit.close();
  });

  it('by the old directive key, stolen, is refused by every device that has gone over', async () => {
    const victim = await deployment.victim();
    const [stolen] = deployment.harness.directives;
    await deployment.rotate('directive', 'begin');
    await uploads(victim);
    const thief = await stranger();
    // Already while both are in force: the newer key never vouches for the older one.
    await isRefused(victim, await handover(thief.key, stolen!, thief), thief);
    await deployment.rotate('directive', 'finish');
    await isRefused(victim, await handover(thief.key, stolen!, thief), thief);
    await obeys(victim);
    await victim.audit.close();
  });

  it('by the old directive key, stolen, takes a device that has not gone over: a limit, which an app that pins the new key ends', async () => {
    const victim = await deployment.victim();
    const [stolen] = deployment.harness.directives;
    await rotate();
    const thief = await stranger();
    const note = await handover(thief.key, stolen!, thief);
    const taken = { origin: victim.origin as Origin, id: 'd-1', scopes: ['*'], reason: 'x', issued: 0 };
    const directive = await signStatement(PURGE_NOTE, taken, thief);
    victim.road.change = (body) => ({ ...body, keys: note, directives: [directive] });
    deployment.advance(61_000, victim.clock);
    await record(victim.audit, 1);
    await victim.audit.flush().catch((error: unknown) => error);
    await until(() => victim.audit.status().purge?.state === 'purged', 'purged by the thief');
    await victim.audit.close();

    const pinned = await deployment.victim({ directiveKey: deployment.harness.keys.directiveKey });
    await isRefused(pinned, note, thief);
    await pinned.audit.close();
  });
});
