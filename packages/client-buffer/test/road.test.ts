import { describe, expect, it } from '@jest/globals';
import { codeOf, makeWorld, record } from './support/harness.ts';

describe('the road from record() to a verified receipt', () => {
  it('records before enrolment, and uploads all of it afterwards, in order', async () => {
    const world = await makeWorld();
    const audit = world.open();
    const entries = await record(audit, 30);
    expect(audit.status()).toMatchObject({ state: 'recording-only', ledger: { durable: 30, pending: 30 } });
    expect(await codeOf(audit.flush())).toBe('ERR_UNKNOWN_DEVICE');

    expect(await audit.enrol({ type: 'token', token: 'token-1' })).toBe('enrolled');
    await audit.flush();
    const places = await Promise.all(entries.map(({ accepted }) => accepted));
    expect(places.map(({ index }) => index)).toEqual(entries.map((_, i) => i));
    expect(world.ingest.eventsOf(world.ingest.device).map(({ data }) => data?.['vault'])).toEqual(
      entries.map((_, i) => `v_1-${i}`),
    );
    expect(audit.status()).toMatchObject({
      state: 'online',
      ledger: { recorded: 30, waiting: 0, durable: 30, accepted: 30, pending: 0, pendingBytes: 0 },
    });
    await audit.close();
  });
});
