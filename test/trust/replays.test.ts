import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatAppend, formatNote, parseAppend, type Bytes } from '@tachograph/wire';
import { Deployment, need, record, SUBJECT, until, type Change, type Victim } from './hostile-road.ts';

const HOUR = 3_600_000;

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.start();
});
afterEach(() => deployment.close());

/** A check-in: the device is due for one after five minutes. */
async function checkIn({ audit, clock }: Victim): Promise<void> {
  deployment.advance(301_000, clock);
  await audit.flush();
}

async function rowOf({ device }: Victim): Promise<{ [name: string]: unknown } | undefined> {
  const { devices } = (await deployment.admin('GET', '/devices')) as {
    devices: { [name: string]: unknown }[];
  };
  return devices.find((one) => one['device'] === device);
}

/** When offline use ends, as the library says it. */
async function endOf({ audit }: Victim): Promise<Date | string> {
  const access = await audit.offlineAccess({ scope: 'v_1' });
  return access.allowed ? access.until : access.reason;
}

/** Lets everything of an answer through but its lease, which is kept. */
function keepingLeases(kept: string[]): Change {
  return ({ lease, ...body }) => {
    if (lease !== undefined) kept.push(lease);
    return body;
  };
}

/** The same append behind the request note of another device. */
function behindNoteOf(other: Bytes, own: Bytes): Bytes {
  const { old, checkpoint, leaves } = need(parseAppend(own));
  const { requestNote } = need(parseAppend(other));
  return formatAppend({ requestNote, old, checkpoint: formatNote(checkpoint.note), leaves });
}

describe('whoever stands between a device and the nodes, and keeps what passes', () => {
  it('destroys nothing with the purge of another device', async () => {
    const [leaver, colleague] = [await deployment.victim(), await deployment.victim()];
    await deployment.revoke(leaver.device);
    await checkIn(leaver);
    await until(() => leaver.app.isEmpty, 'purged');
    const directives = leaver.road.answers.flatMap((answer) => answer.directives ?? []);
    expect(directives.length).toBeGreaterThan(0);

    colleague.road.change = (body) => ({ ...body, directives });
    await record(colleague.audit, 1);
    await colleague.audit.flush();
    expect(colleague.audit.status()).toMatchObject({ purge: null, problem: { code: 'ERR_ORIGIN_MISMATCH' } });
    expect(colleague.app.calls).toEqual([]);
    expect(await endOf(colleague)).toBeInstanceOf(Date);
    await Promise.all([leaver.audit.close(), colleague.audit.close()]);
  });

  it('wins no time with leases that were withheld and are fed later (INV-22)', async () => {
    const victim = await deployment.victim();
    const ends = await endOf(victim);
    const withheld: string[] = [];
    victim.road.change = keepingLeases(withheld);
    for (let i = 0; i < 3; i++) await checkIn(victim);
    expect(withheld).toHaveLength(3);
    expect(await endOf(victim)).toEqual(ends);

    deployment.advance(70 * HOUR, victim.clock);
    for (const lease of withheld) {
      victim.road.change = (body) => ({ ...body, lease });
      await checkIn(victim);
      expect(victim.audit.status()).toMatchObject({ problem: { code: 'ERR_SIGNATURE' } });
      expect(await endOf(victim)).toEqual(ends);
    }
    deployment.advance(2 * HOUR, victim.clock);
    expect(await endOf(victim)).toBe('expired');

    victim.road.honest();
    await checkIn(victim);
    expect(await endOf(victim)).toBeInstanceOf(Date);
    await victim.audit.close();
  });

  it('wins no time with the lease of another device, nor with one for a check-in that is sent again (INV-22)', async () => {
    const [victim, other] = [await deployment.victim(), await deployment.victim()];
    const ends = await endOf(victim);
    // Its own check-ins get no lease through.
    victim.road.change = keepingLeases([]);
    deployment.advance(70 * HOUR, victim.clock, other.clock);
    await other.audit.flush();
    const again = await deployment.forward(victim.road.sent.at(-1)!);
    const fresh = JSON.parse(again.kind === 'answer' ? again.body : '{}') as { lease?: string };
    const leases = [other.road.answers.at(-1)!.lease, fresh.lease];
    for (const lease of leases) {
      victim.road.change = (body) => ({ ...body, lease: lease! });
      expect(lease).toMatch(/^tachograph lease\/v1\n/);
      await checkIn(victim);
      expect(victim.audit.status()).toMatchObject({ problem: { code: 'ERR_SIGNATURE' } });
      expect(await endOf(victim)).toEqual(ends);
    }
    await Promise.all([victim.audit.close(), other.audit.close()]);
  });

  it('speaks for no device with the request note of another one', async () => {
    const [victim, other] = [await deployment.victim(), await deployment.victim()];
    await record(victim.audit, 1);
    await checkIn(victim);
    const before = await rowOf(victim);
    const [own, borrowed] = [victim.road.sent.at(-1)!, other.road.sent.at(-1)!];
    deployment.advance(HOUR);
    const answer = await deployment.forward({ ...own, body: behindNoteOf(borrowed.body!, own.body!) });
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('ERR_ORIGIN_MISMATCH') });
    expect(await rowOf(victim)).toEqual(before);
    await Promise.all([victim.audit.close(), other.audit.close()]);
  });

  it('changes neither a log nor an open order with requests that are sent again (INV-07)', async () => {
    const victim = await deployment.victim();
    await record(victim.audit, 3);
    await checkIn(victim);
    await deployment.revoke(victim.device);
    const before = await rowOf(victim);
    for (const request of victim.road.sent) {
      const answer = await deployment.forward(request);
      // The order stays open, and a revoked device gets no lease.
      expect(answer).toMatchObject({ body: expect.stringContaining('tachograph purge/v1') });
      expect(answer).not.toMatchObject({ body: expect.stringContaining('tachograph lease/v1') });
    }
    expect((await rowOf(victim))?.['size']).toBe(before?.['size']);
    expect((await deployment.node.delivered(victim.origin)).length).toBe(3);
    expect((await deployment.node.tenantEvents()).map(({ action }) => action)).not.toContain('log.forked');
    await victim.audit.close();
  });

  it('can make a silent device seem alive by its old check-ins: a limit, since nothing in them is newer than the device', async () => {
    const victim = await deployment.victim();
    await checkIn(victim);
    const kept = victim.road.sent.at(-1)!;
    await victim.audit.close();
    for (let i = 0; i < 4; i++) {
      deployment.advance(40 * HOUR);
      await deployment.forward(kept);
      await deployment.node.ingest.sweep();
      expect(await rowOf(victim)).toMatchObject({ darkSince: null });
    }
    // Once it is revoked there is no lease in it any more, and the report waits for none.
    await deployment.revoke(victim.device);
    deployment.advance(74 * HOUR);
    await deployment.forward(kept);
    expect(await deployment.admin('GET', `/subjects/${SUBJECT}/offboarding`)).toMatchObject({
      devices: [{ device: victim.device, end: 'lease_expired_unconfirmed' }],
    });
  });
});
