import { describe, expect, it } from '@jest/globals';
import type { HttpAnswer } from '../src/transport.ts';
import { codeOf, makeWorld, record, until, type TestBuffer, type World } from './support/harness.ts';

async function enrolled(world: World): Promise<TestBuffer> {
  const audit = world.open();
  await audit.enrol({ type: 'token', token: 'token-1' });
  return audit;
}

function json(status: number, body: object | string): HttpAnswer {
  return { kind: 'answer', status, retryAfter: null, body: JSON.stringify(body) };
}

describe('enrolment', () => {
  it('survives the loss of its answer: asking again with the spent token gets the present state (INV-16)', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await record(audit, 3);
    world.network.onAnswer = (answer, { path, method }) =>
      method === 'POST' && path.startsWith('/v1/enrolment') ? { kind: 'failure', detail: 'reset' } : answer;
    expect(await codeOf(audit.enrol({ type: 'token', token: 'token-1' }))).toBe('ERR_NETWORK');
    expect(world.ingest.devices.size).toBe(1);
    world.network.online();
    expect(await audit.enrol({ type: 'token', token: 'token-1' })).toBe('enrolled');
    await audit.flush();
    expect(world.ingest.device.leaves).toHaveLength(3);
    await audit.close();
  });

  it('goes on by itself after a lost enrolment answer, because ingest knows the device', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await record(audit, 3);
    world.network.onAnswer = (answer, { path, method }) =>
      method === 'POST' && path.startsWith('/v1/enrolment') ? { kind: 'failure', detail: 'reset' } : answer;
    expect(await codeOf(audit.enrol({ type: 'token', token: 'token-1' }))).toBe('ERR_NETWORK');
    await until(() => audit.status().state === 'online', 'uploaded');
    expect(audit.status().ledger.accepted).toBe(3);
    await audit.close();
  });

  it('waits for approval, keeps everything, and goes on when it is given', async () => {
    const world = await makeWorld();
    world.ingest.approval = true;
    const audit = await enrolled(world);
    await record(audit, 4);
    expect(await codeOf(audit.flush())).toBe('ERR_DEVICE_PENDING');
    expect(audit.status()).toMatchObject({ state: 'pending-approval', ledger: { pending: 4 } });
    world.ingest.device.status = 'enrolled';
    await until(() => {
      world.clock.advance(30_000);
      return audit.status().state === 'online';
    }, 'uploaded after approval');
    expect(audit.status().ledger.accepted).toBe(4);
    await audit.close();
  });

  it('tells a refused token, and keeps recording', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await record(audit, 2);
    expect(await codeOf(audit.enrol({ type: 'token', token: 'wrong' }))).toBe('ERR_TOKEN_UNKNOWN');
    expect(audit.status()).toMatchObject({ state: 'recording-only', ledger: { pending: 2 } });
    await record(audit, 1);
    expect(audit.status().ledger.pending).toBe(3);
    await audit.close();
  });

  it('a refused token takes nothing from a device that is enrolled', async () => {
    const world = await makeWorld();
    const audit = await enrolled(world);
    await audit.flush();
    const refusal = json(403, { code: 'ERR_TOKEN_UNKNOWN', detail: 'no such token' });
    world.network.intercept = ({ method, path }) =>
      method === 'POST' && path.includes('/enrolment/') ? refusal : null;
    expect(await codeOf(audit.enrol({ type: 'token', token: 'mistyped' }))).toBe('ERR_TOKEN_UNKNOWN');
    await record(audit, 2);
    await audit.flush();
    expect(audit.status()).toMatchObject({ state: 'online', ledger: { accepted: 2, pending: 0 } });
    await audit.close();
  });
});
