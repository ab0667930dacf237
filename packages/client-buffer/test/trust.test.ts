import { formatVkey, keyNames, parseAuthority, SIGNATURE_TYPE } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import { makeSigner } from './support/make-signer.ts';
import { codeOf, makeWorld, record, type World } from './support/harness.ts';

const parsed = parseAuthority('audit.example.com');
if (!parsed.ok) throw new Error('authority');
const names = keyNames(parsed.value);

async function rotateCosigner({ ingest }: World): Promise<void> {
  ingest.cosigner = await makeSigner(names.cosigner, SIGNATURE_TYPE.cosignature);
  ingest.counter++;
}

describe('whose receipts count', () => {
  it('a new cosigner key is taken from the keys note, asked for once if the answer brings none', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await record(audit, 1);
    await audit.flush();
    await rotateCosigner(world);
    await record(audit, 1);
    await audit.flush();
    expect(audit.status().ledger).toMatchObject({ accepted: 2, pending: 0 });
    expect(world.ingest.requests.filter((line) => line === 'GET /v1/keys')).toHaveLength(1);
    await audit.close();
  });

  it('a keys note by another directive key than the first one seen is ignored and reported', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await record(audit, 1);
    await audit.flush();
    world.ingest.directive = await makeSigner(names.directive, SIGNATURE_TYPE.ed25519);
    await rotateCosigner(world);
    await record(audit, 2);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    expect(audit.status().ledger).toMatchObject({ accepted: 1, pending: 2 });
    await audit.close();
  });

  it('with a pinned directive key the first contact is not trusted blindly', async () => {
    const world = await makeWorld();
    const own = await makeSigner(names.directive, SIGNATURE_TYPE.ed25519);
    const audit = world.open({ directiveKey: formatVkey(own.key) });
    await audit.enrol({ type: 'token', token: 'token-1' });
    expect(audit.status().problem).toMatchObject({ code: 'ERR_VKEY' });
    await record(audit, 1);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    expect(audit.status().ledger.pending).toBe(1);
    await audit.close();
  });

  it('the right pin works, and so does one of several', async () => {
    const world = await makeWorld();
    const other = await makeSigner(names.directive, SIGNATURE_TYPE.ed25519);
    const directiveKey = [formatVkey(other.key), world.ingest.directiveVkey];
    const audit = world.open({ directiveKey });
    await audit.enrol({ type: 'token', token: 'token-1' });
    await record(audit, 1);
    await audit.flush();
    expect(audit.status()).toMatchObject({ problem: null, ledger: { accepted: 1 } });
    await audit.close();
  });

  it('an older keys note does not bring a withdrawn key back', async () => {
    const world = await makeWorld();
    const audit = world.open();
    const [stolen, counter] = [world.ingest.cosigner, world.ingest.counter];
    await audit.enrol({ type: 'token', token: 'token-1' });
    await rotateCosigner(world);
    await record(audit, 1);
    await audit.flush();
    Object.assign(world.ingest, { cosigner: stolen, counter });
    await record(audit, 1);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    expect(audit.status().ledger.pending).toBe(1);
    await audit.close();
  });
});
