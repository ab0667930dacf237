import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  cosign,
  formatVkey,
  generateEd25519,
  ed25519Signer,
  keyNames,
  KEYS_NOTE,
  LEASE_NOTE,
  noteKey,
  parseAppend,
  parseAuthority,
  parseVkey,
  PURGE_NOTE,
  REQUEST_NOTE,
  parseNote,
  SIGNATURE_TYPE,
  signStatement,
  type NoteSigner,
  type Origin,
  type SignatureType,
} from '@tachograph/wire';
import type { HttpAnswer, HttpRequest } from '../../packages/client-buffer/src/transport.ts';
import { AUTHORITY, Deployment, need, record, until, type Victim } from './hostile-road.ts';

const authority = need(parseAuthority(AUTHORITY));
const YEAR_SECONDS = 365 * 86_400;

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.start();
});
afterEach(() => deployment.close());

/** A node's private key of one kind: what stands in its `keys/`. */
function stolen(kind: 'cosigners' | 'lease' | 'log'): NoteSigner {
  return [deployment.harness.keys[kind]].flat()[0]!;
}

function purgeBy(signer: NoteSigner, { origin }: Victim): Promise<string> {
  const order = { id: 'd-1', scopes: ['*'], reason: 'x', issued: deployment.harness.now };
  return signStatement(PURGE_NOTE, { origin: origin as Origin, ...order }, signer);
}

/** An answer to an append that whoever holds these keys makes alone; no log has its leaves. */
async function forgedReceipt(request: HttpRequest, cosigner: NoteSigner): Promise<HttpAnswer> {
  const { checkpoint } = need(parseAppend(request.body!));
  const receipt = await cosign(checkpoint, Math.floor(deployment.harness.now / 1000), cosigner);
  const body = JSON.stringify({ receipt, rejected: [], directives: [], nextCheckInSeconds: 300 });
  return { kind: 'answer', status: 200, retryAfter: null, body };
}

describe('whoever has stolen the keys of an ingest node', () => {
  it.each(['cosigners', 'lease', 'log'] as const)(
    'cannot sign a purge, under their own name or that of the directive key (%s)',
    async (kind) => {
      const victim = await deployment.victim();
      const { audit, app, road } = victim;
      const disguised = { ...stolen(kind), key: need(parseVkey(deployment.harness.keys.directiveKey)) };
      const directives = [await purgeBy(stolen(kind), victim), await purgeBy(disguised, victim)];
      for (const directive of directives) {
        road.change = (body) => ({ ...body, directives: [directive] });
        await record(audit, 1);
        await audit.flush();
        expect(audit.status()).toMatchObject({ purge: null, problem: { code: 'ERR_SIGNATURE' } });
      }
      expect(app.calls).toEqual([]);
      expect(await audit.cacheKey({ scope: 'v_1' })).toMatchObject({ allowed: true });
      await audit.close();
    },
  );

  it('cannot name a directive key, or any other key, of their own', async () => {
    const victim = await deployment.victim();
    const { audit, road } = victim;
    const { privateKey, publicKey } = await generateEd25519(true);
    const sign = ed25519Signer(privateKey);
    const own = (name: string, type: SignatureType) => ({ key: noteKey(name, type, publicKey), sign });
    const names = keyNames(authority);
    const keys = [
      own(names.cosigner, SIGNATURE_TYPE.cosignature).key,
      own(names.lease, SIGNATURE_TYPE.ed25519).key,
    ];
    const note = await signStatement(KEYS_NOTE, { authority, counter: 99, keys }, stolen('lease'));
    const director = own(names.directive, SIGNATURE_TYPE.ed25519);
    const directive = await purgeBy(director, victim);
    const seen: (string | undefined)[] = [];
    const unsubscribe = audit.subscribe(({ problem }) => seen.push(problem?.code));
    road.change = (body) => ({
      ...body,
      keys: note,
      directiveKey: formatVkey(director.key),
      directives: [directive],
    });
    deployment.advance(61_000, victim.clock);
    await record(audit, 1);
    await audit.flush();
    unsubscribe();
    expect(new Set(seen)).toContain('ERR_VKEY');
    expect(victim.app.calls).toEqual([]);
    // The receipt came by the key that was known before, and counts.
    expect(audit.status()).toMatchObject({ purge: null, ledger: { pending: 0 } });
    await audit.close();
  });

  it('can forge a receipt, and the device deletes what nobody has: a limit, which shows as a loss as soon as a true node is met', async () => {
    const { audit, road, clock, device } = await deployment.victim();
    await record(audit, 2);
    await audit.flush();
    road.intercept = (request) => forgedReceipt(request, stolen('cosigners'));
    await record(audit, 3);
    await audit.flush();
    expect(audit.status().ledger).toMatchObject({ accepted: 5, pending: 0 });
    expect(await headOf(device)).toBe(2);

    road.honest();
    deployment.advance(301_000, clock);
    await record(audit, 1);
    await audit.flush();
    const events = await deployment.node.tenantEvents();
    const losses = events.filter(({ action }) => action === 'server.lost');
    expect(losses).toEqual([
      expect.objectContaining({
        targets: [expect.objectContaining({ type: 'device', id: device })],
        data: expect.objectContaining({ from: 2, to: 5 }),
      }),
    ]);
    expect(audit.status().ledger).toMatchObject({ accepted: 6, lost: 0 });
    await audit.close();
  });

  it('can forge a lease of ten years: a limit, and an order by the directive key ends it all the same', async () => {
    const victim = await deployment.victim();
    const { audit, app, road, clock } = victim;
    road.change = async (body, request) => {
      const note = need(parseNote(need(parseAppend(request.body!)).requestNote!));
      const { origin, nonce } = need(REQUEST_NOTE.parse(note.text));
      const terms = {
        blockAfterSeconds: 10 * YEAR_SECONDS,
        wipeAfterSeconds: 10 * YEAR_SECONDS,
        scopes: ['*'],
      };
      return {
        ...body,
        lease: await signStatement(LEASE_NOTE, { origin, nonce, ...terms }, stolen('lease')),
      };
    };
    deployment.advance(301_000, clock);
    await audit.flush();
    deployment.advance(5 * YEAR_SECONDS * 1000, clock);
    expect(await audit.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: true });

    road.honest();
    await deployment.revoke(victim.device);
    await record(audit, 1);
    await audit.flush();
    await until(() => audit.status().purge?.state === 'purged', 'purged');
    expect(app.isEmpty).toBe(true);
    expect(await audit.offlineAccess({ scope: 'v_1' })).toMatchObject({ allowed: false });
    await audit.close();
  });
});

/** How many entries of a device ingest has. */
async function headOf(device: string): Promise<number> {
  const { devices } = (await deployment.admin('GET', '/devices')) as {
    devices: { device: string; size: number }[];
  };
  return devices.find((one) => one.device === device)!.size;
}
