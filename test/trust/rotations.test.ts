import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RotatingKey } from '@tachograph/ingest';
import { Deployment, record, until, type Victim } from './hostile-road.ts';

const HOUR = 3_600_000;

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.start();
});
afterEach(() => deployment.close());

/** Records and uploads, and takes a new lease an hour later; throws where anything stands in the way. */
async function goesOn({ audit, clock }: Victim): Promise<void> {
  const before = await audit.offlineAccess({ scope: 'v_1' });
  deployment.advance(HOUR, clock);
  await record(audit, 2);
  await audit.flush();
  const after = await audit.offlineAccess({ scope: 'v_1' });
  expect(audit.status()).toMatchObject({ state: 'online', problem: null, ledger: { pending: 0, lost: 0 } });
  expect(before.allowed && after.allowed && after.until > before.until).toBe(true);
}

async function isPurged({ device, audit, app }: Victim): Promise<boolean> {
  await deployment.revoke(device);
  await record(audit, 1);
  await audit.flush();
  if (audit.status().purge === null) return false;
  await until(() => app.isEmpty, 'purged');
  return true;
}

describe.each<RotatingKey>(['cosigner', 'lease', 'log'])('over a rotation of the %s key', (key) => {
  it('a client that is there goes on: receipts, leases, one that is offline meanwhile, and its purge at the end', async () => {
    const [present, absent] = [await deployment.victim(), await deployment.victim()];
    await deployment.rotate(key, 'begin');
    await goesOn(present);
    await deployment.rotate(key, 'finish');
    await goesOn(present);
    // The other one has heard nothing since before the rotation.
    absent.clock.advance(2 * HOUR);
    await goesOn(absent);
    for (const victim of [present, absent]) {
      expect(await isPurged(victim)).toBe(true);
      await victim.audit.close();
    }
  });
});

describe('over a rotation of the directive key', () => {
  it('a client that pins the older one goes on while it lasts, its purge included', async () => {
    const victim = await deployment.victim();
    await deployment.rotate('directive', 'begin');
    await goesOn(victim);
    expect(await isPurged(victim)).toBe(true);
    await victim.audit.close();
  });

  it('a client whose app names both goes on after it, its purge included', async () => {
    const older = deployment.harness.keys.directiveKey;
    await deployment.rotate('directive', 'begin');
    const directiveKey = [older, deployment.harness.keys.directiveKey];
    const victim = await deployment.victim({ directiveKey });
    await deployment.rotate('directive', 'finish');
    await goesOn(victim);
    expect(await isPurged(victim)).toBe(true);
    await victim.audit.close();
  });

  it('a client that knows the older one alone keeps its receipts and leases, and takes no purge: a limit', async () => {
    const victim = await deployment.victim();
    for (const step of ['begin', 'finish'] as const) await deployment.rotate('directive', step);
    const { audit, clock, app } = victim;
    const before = await audit.offlineAccess({ scope: 'v_1' });
    deployment.advance(HOUR, clock);
    await record(audit, 2);
    await audit.flush();
    const after = await audit.offlineAccess({ scope: 'v_1' });
    expect(before.allowed && after.allowed && after.until > before.until).toBe(true);
    expect(audit.status().ledger).toMatchObject({ pending: 0, lost: 0 });
    expect(await isPurged(victim)).toBe(false);
    expect(app.calls).toEqual([]);
    // It is refused offline use all the same, and would be at the end of its lease: a revoked device gets no other.
    deployment.advance(301_000, clock);
    await audit.flush();
    expect(await audit.offlineAccess({ scope: 'v_1' })).toEqual({ allowed: false, reason: 'revoked' });
    await audit.close();
  });
});
