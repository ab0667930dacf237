import { describe, expect, it } from '@jest/globals';
import { formatVkey, keyNames, parseAuthority, SIGNATURE_TYPE } from '@tachograph/wire';
import { codeOf, makeWorld, record, type TestBuffer, type World } from './support/harness.ts';
import { makeSigner } from './support/make-signer.ts';

const parsed = parseAuthority('audit.example.com');
if (!parsed.ok) throw new Error('authority');
const names = keyNames(parsed.value);
const newDirector = () => makeSigner(names.directive, SIGNATURE_TYPE.ed25519);

async function enrolledTab(): Promise<{ world: World; audit: TestBuffer; pin: string }> {
  const world = await makeWorld();
  const pin = world.ingest.directiveVkey;
  const audit = world.open({ directiveKey: pin });
  await audit.enrol({ type: 'token', token: 'token-1' });
  await uploads(world, audit);
  return { world, audit, pin };
}

/** One event goes all the way, with a request note. */
async function uploads({ clock }: World, audit: TestBuffer): Promise<void> {
  clock.advance(61_000);
  await record(audit, 1);
  await audit.flush();
  expect(audit.status()).toMatchObject({ ledger: { pending: 0 } });
}

/** The cosigner of before is withdrawn, so that only those who take the new keys note take a receipt. */
async function withNewCosigner({ ingest }: World): Promise<void> {
  ingest.cosigner = await makeSigner(names.cosigner, SIGNATURE_TYPE.cosignature);
  ingest.counter++;
}

describe('a handover of the directive key', () => {
  it('is kept: the next page, which pins the old key still, goes on from there and asks for nothing', async () => {
    const { world, audit, pin } = await enrolledTab();
    world.ingest.handOverTo(await newDirector());
    await uploads(world, audit);
    await audit.close();
    await world.ingest.retireOutgoing();
    await withNewCosigner(world);
    const next = world.open({ directiveKey: pin });
    await uploads(world, next);
    expect(next.status().problem).toBeNull();
    await next.close();
    expect(world.ingest.requests).not.toContain('GET /v1/keys');
    const { rows } = await world.store.read();
    expect(rows.trust).toMatchObject({ directive: [pin], counter: world.ingest.counter });
  });

  it('is followed from the pin on each page: what was written into the store by hand is not believed', async () => {
    const { world, audit, pin } = await enrolledTab();
    await audit.close();
    const { handovers, directiveVkey } = world.ingest;
    const evil = await newDirector();
    const genuine = world.ingest.directive;
    world.ingest.directive = evil;
    const planted = { directive: [directiveVkey], counter: 99, note: await world.ingest.keysNote() };
    await world.store.transact(() => ({ result: null, rows: { trust: { ...planted, handovers } } }));
    const next = world.open({ directiveKey: pin });
    await record(next, 1);
    world.clock.advance(61_000);
    // The cosigner is one that this device knew; but nothing that is believed names it now.
    expect(await codeOf(next.flush())).toBe('ERR_NETWORK');
    world.ingest.directive = genuine;
    await uploads(world, next);
    await next.close();
  });

  it('that a thief of the old key made ends with an app that pins the newer one, whatever its counter', async () => {
    const { world, audit, pin } = await enrolledTab();
    const { ingest } = world;
    const [stolen, own] = [ingest.directive, { cosigner: ingest.cosigner, counter: ingest.counter }];
    // The thief stands on the road and answers in the place of ingest.
    ingest.handOverTo(await newDirector());
    ingest.cosigner = await makeSigner(names.cosigner, SIGNATURE_TYPE.cosignature);
    ingest.counter = 1_000_000;
    await uploads(world, audit);
    // The operator rotates, too late for this device.
    Object.assign(ingest, { ...own, directive: stolen });
    ingest.handOverTo(await newDirector());
    await ingest.retireOutgoing();
    await record(audit, 1);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    await audit.close();
    const stuck = world.open({ directiveKey: pin });
    expect(await codeOf(stuck.flush())).toBe('ERR_NETWORK');
    await stuck.close();
    const released = world.open({ directiveKey: formatVkey(ingest.directive.key) });
    await released.flush();
    expect(released.status().ledger).toMatchObject({ pending: 0 });
    await uploads(world, released);
    await released.close();
  });

  it('seen by two tabs at once leaves both and the store with the new key', async () => {
    const { world, audit, pin } = await enrolledTab();
    const other = world.open({ directiveKey: pin });
    await record(other, 1);
    world.ingest.handOverTo(await newDirector());
    world.clock.advance(61_000);
    await Promise.all([audit.flush(), other.flush()]);
    await world.ingest.retireOutgoing();
    await withNewCosigner(world);
    await uploads(world, other);
    await uploads(world, audit);
    const { rows } = await world.store.read();
    expect(rows.trust?.handovers).toHaveLength(1);
    await audit.close();
    await other.close();
  });
});
