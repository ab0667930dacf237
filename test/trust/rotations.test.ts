import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ROTATING_KEYS } from '@tachograph/ingest';
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

async function isPurged({ device, audit, app }: Victim): Promise<void> {
  await deployment.revoke(device);
  await record(audit, 1);
  await audit.flush();
  await until(() => audit.status().purge?.state === 'purged', 'purged');
  expect(app.isEmpty).toBe(true);
}

describe.each(ROTATING_KEYS)('over a rotation of the %s key', (key) => {
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
      await isPurged(victim);
      await victim.audit.close();
    }
  });
});
