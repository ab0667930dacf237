import { describe, expect, it } from '@jest/globals';
import { codeOf, html, makeWorld, record, type World } from './support/harness.ts';

/** What each event says of the connection, in the order of recording; all of them are with ingest by now. */
function stamps({ ingest }: World): boolean[] {
  return ingest.eventsOf(ingest.device).map(({ online }) => online);
}

describe('`online` of an event', () => {
  it('is the word of the page before any exchange', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await record(audit, 1);
    world.page.says = false;
    await record(audit, 1);
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    expect(stamps(world)).toEqual([true, false]);
    await audit.close();
  });

  it('is false after an upload that reached nobody, whatever the page says, and true after the next that did', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    world.network.offline();
    await record(audit, 1);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    await record(audit, 1);
    world.network.online();
    await record(audit, 1);
    await audit.flush();
    await record(audit, 1);
    // An exchange that works does not outvote a page that knows better.
    world.page.says = false;
    await record(audit, 1);
    await audit.flush();
    expect(stamps(world)).toEqual([true, false, false, true, false]);
    await audit.close();
  });

  it('is false after an enrolment that reached nobody, and true after one that did', async () => {
    const world = await makeWorld();
    const audit = world.open();
    world.network.offline();
    expect(await codeOf(audit.enrol({ type: 'token', token: 'token-1' }))).toBe('ERR_NETWORK');
    await record(audit, 1);
    world.network.online();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await record(audit, 1);
    await audit.flush();
    expect(stamps(world)).toEqual([false, true]);
    await audit.close();
  });

  it('is false behind a captive portal, and true where ingest itself refuses or is busy', async () => {
    const world = await makeWorld();
    const audit = world.open();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    const refusal = { kind: 'answer', retryAfter: null } as const;
    const answers = [
      html(200),
      { ...refusal, status: 403, body: '{"code":"ERR_DEVICE_PENDING"}' },
      html(200),
      { ...refusal, status: 503, body: '{"code":"ERR_OVERLOADED"}' },
    ];
    for (const answer of answers) {
      world.network.intercept = () => answer;
      await record(audit, 1);
      expect(await codeOf(audit.flush())).not.toBeNull();
    }
    await record(audit, 1);
    world.network.online();
    await audit.flush();
    expect(stamps(world)).toEqual([true, false, true, false, true]);
    await audit.close();
  });
});

describe('the state of a buffer', () => {
  it('is online where ingest answers, though the page calls itself offline', async () => {
    const world = await makeWorld();
    world.page.says = false;
    const audit = world.open();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await record(audit, 1);
    await audit.flush();
    expect(audit.status()).toMatchObject({ state: 'online', ledger: { pending: 0 } });
    await audit.close();
  });
});
