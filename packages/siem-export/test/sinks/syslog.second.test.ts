import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import { makeAuthority } from '../../../../test/support/certificates.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { startRsyslog, type Rsyslog } from '../../../../test/support/rsyslog.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import type { FormatName, RouteInput } from '../../src/index.ts';
import { readCef, valueOf } from '../support/cef-reader.ts';
import { appendTo } from '../support/surroundings.ts';
import { TestDevice } from '../support/test-device.ts';
import { compared, startFeed, type RunningFeed } from '../support/through-faults.ts';

describe('the sink syslog and a real rsyslog', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let rsyslog: Rsyslog;
  let feed: RunningFeed;
  beforeEach(async () => {
    dir = await tempDir();
  });
  afterEach(async () => {
    await feed?.stop();
    await rsyslog?.stop();
    await dir.remove();
  }, 60_000);

  const start = async (transport: 'tls' | 'tcp' | 'udp', format: FormatName): Promise<void> => {
    const authority = makeAuthority(dir.path, 'syslog');
    const certificate = authority.issue('localhost', ['DNS:localhost']);
    rsyslog = await startRsyslog(
      dir.path,
      transport === 'tls' ? { kind: 'tls', certificate, authority: authority.cert } : { kind: transport },
    );
    const sink = {
      type: 'syslog',
      host: 'localhost',
      port: rsyslog.port,
      transport,
      tls: { caFile: authority.cert },
      messageBytesMax: 32_768,
      overlapEvents: 2_000,
    };
    const route: RouteInput = { name: 'syslog', tenants: '*', format, sink };
    feed = await startFeed(dir.path, route);
  };
  const storedIds = async (): Promise<string[]> =>
    (await rsyslog.stored()).map((line) => (JSON.parse(line) as { id: string }).id);

  it.each(['tls', 'tcp'] as const)(
    'bring everything there over %s, in order, while it is killed and started again',
    async (transport) => {
      await start(transport, 'cloudevents');
      await feed.grow(3);
      await eventually('it receives', () => (feed.delivered() > 0 ? true : null));
      const growing = feed.grow(6);
      await rsyslog.kill();
      await rsyslog.start();
      await growing;
      await feed.grow(1);
      await feed.settled();
      const expected = await feed.expected();
      const all = [...expected.values()].flat().length;
      // Written is not yet stored: nothing in syslog says when it is.
      await eventually(
        'everything is stored',
        async () => (new Set(await storedIds()).size >= all ? true : null),
        30_000,
      );
      const result = compared(expected, await storedIds());
      console.log(
        `${transport}: ${result.doubled} doubled, by what was written again after the connection died`,
      );
      expect(result).toMatchObject({ missing: 0, strange: 0, disordered: 0 });
    },
    120_000,
  );

  it('bring events there over UDP, as long as they are few enough for the buffers in between', async () => {
    await start('udp', 'cloudevents');
    const device = await TestDevice.make();
    const records = await device.appendEvents(20);
    await appendTo(feed.log, records);
    await eventually('they are stored', async () => ((await storedIds()).length >= 20 ? true : null), 20_000);
    expect(await storedIds()).toEqual(records.map(({ headers }) => headers[HEADER.id]));
  }, 60_000);

  it('give back in CEF what a hostile device has put into names, whatever the characters', async () => {
    await start('tls', 'cef');
    const device = await TestDevice.make();
    const names = [
      'line\nfeed\r\nand return',
      'pipe|pipe=equals=\\backslash\\',
      'CEF:0|Forged|Event|1|x|y|10|act=ok',
      '\u001b[2J\u001b[31mred\u0007',
      'left\u202eright\u2066hidden\u200b',
      'NUL\u0000end',
      '😀 é 日本語 \u00a0',
      '<134>1 2026-11-22T10:00:00Z forged forged - - - forged',
    ];
    const leaves = names.map((name, i) => ({
      bytes: utf8(
        JSON.stringify({
          id: `0198c0de-0000-7000-8000-00000000000${i}`,
          time: '2026-11-22T10:00:00.123Z',
          action: 'item.reveal',
          actor: { id: `actor ${name}`, name },
          targets: [{ type: 'item', id: 'i_42', name }],
          outcome: 'success',
          online: false,
          clock: { boot: 'b', ms: i },
          data: { name },
        }),
      ),
      headers: { [HEADER.type]: 'item.reveal' },
    }));
    await appendTo(feed.log, await device.append(leaves));
    await eventually('they are stored', async () =>
      (await rsyslog.stored()).length >= names.length ? true : null,
    );
    const stored = await rsyslog.stored();
    expect(stored).toHaveLength(names.length);
    for (const [i, line] of stored.entries()) {
      const event = readCef(line);
      expect([valueOf(event, 'suid'), valueOf(event, 'suser'), valueOf(event, 'fname')]).toEqual([
        `actor ${names[i]}`,
        names[i],
        names[i],
      ]);
    }
  }, 60_000);
});
