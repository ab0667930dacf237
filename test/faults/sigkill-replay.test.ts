import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { freePort } from '../support/free-port.ts';
import { tempDir } from '../support/temp-dir.ts';
import { expectWholeFeed, MortalServer, replayThroughKills } from './sigkill-replay.ts';

const REPLAY = { seed: 20_261_122, events: 20_000, kills: 20, advance: 800, paddingBytes: 900 };

describe('the server killed with SIGKILL twenty times during a replay of 20,000 events', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: MortalServer;

  beforeAll(async () => {
    dir = await tempDir();
    server = new MortalServer({ dataDir: dir.path, port: await freePort() });
    await server.start();
  });
  afterAll(async () => {
    await server?.stop();
    await dir?.remove();
  });

  it('exports every event with a receipt once, in order (INV-06, INV-08, INV-09, INV-10)', async () => {
    await expectWholeFeed(server, await replayThroughKills(server, REPLAY));
  }, 180_000);
});
