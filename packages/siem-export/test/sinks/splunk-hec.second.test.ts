import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { startCollector, type Collector } from '../../../../test/support/collector.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { compared, startFeed, type RunningFeed } from '../support/through-faults.ts';

const TOKEN = 'b0221cd8-c4b4-465a-9a3c-273e3a75aa29';

describe('the sink splunk-hec and the receiver of the OpenTelemetry Collector', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let collector: Collector;
  let feed: RunningFeed;
  beforeEach(async () => {
    dir = await tempDir();
  });
  afterEach(async () => {
    await feed?.stop();
    await collector?.stop();
    await dir.remove();
  }, 60_000);

  const start = async (acknowledge: boolean): Promise<void> => {
    collector = await startCollector({
      folder: dir.path,
      name: 'splunk_hec',
      receiver: [
        'endpoint: 127.0.0.1:PORT',
        ...(acknowledge ? ['ack: { extension: ack, path: /services/collector/ack }'] : []),
      ],
      extensions: acknowledge ? ['ack:'] : [],
    });
    const sink = {
      type: 'splunk-hec',
      url: `http://127.0.0.1:${collector.port}`,
      token: { env: 'TEST_HEC_TOKEN' },
      acknowledge,
      timeoutSeconds: 3,
    };
    const route = { name: 'hec', tenants: '*' as const, format: 'cloudevents' as const, sink };
    feed = await startFeed(dir.path, route, { TEST_HEC_TOKEN: TOKEN });
  };
  const storedIds = async (): Promise<string[]> =>
    (await collector.stored()).map(({ attributes }) => String(attributes.get('id')));

  it.each([false, true])(
    'bring everything there, in order, while it is killed and stands still (acknowledgements: %s)',
    async (acknowledge) => {
      await start(acknowledge);
      await feed.grow(3);
      await eventually('it receives', () => (feed.delivered() > 0 ? true : null));
      const growing = feed.grow(6);
      await collector.kill();
      await delay(500);
      await collector.start();
      await growing;
      collector.pause();
      await feed.grow(2);
      await delay(4_000);
      collector.resume();
      await feed.settled();
      const result = compared(await feed.expected(), await storedIds());
      console.log(`acknowledgements ${acknowledge}: ${result.doubled} doubled, by an answer that was lost`);
      expect(result).toMatchObject({ missing: 0, strange: 0, disordered: 0 });
    },
    120_000,
  );

  it('keeps the time, the fields and the exact line of an event', async () => {
    await start(false);
    await feed.grow(1);
    await feed.settled();
    const [first] = await collector.stored();
    const attributes = Object.fromEntries(first!.attributes);
    // Seconds with a fraction go through a float: nanoseconds are not exact, milliseconds are.
    const ms = Math.round(Number(first!.timeUnixNano) / 1_000_000);
    expect(ms).toBe(Date.parse('2026-11-22T10:00:00.123Z'));
    expect(attributes).toMatchObject({
      tenant: 'acme',
      action: 'item.reveal',
      received: '2026-11-22T10:00:05.000Z',
      lateness_ms: 4_877,
    });
    expect(JSON.stringify(first!.body)).toContain('audit.example.com/acme/');
  }, 60_000);
});
