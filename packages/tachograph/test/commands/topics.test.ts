import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { freePort } from '../../../../test/support/free-port.ts';
import { rawTopic, setTopic } from '../../../../test/support/kafka-raw.ts';
import { startKafka, type KafkaBroker } from '../../../../test/support/kafka.ts';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { start, type Running } from '../support/running.ts';
import { tempFolder } from '../support/temp-folder.ts';

const SINGLE = ['--replicas', '1', '--min-in-sync', '1'];

const folder = tempFolder();
let broker: KafkaBroker;
beforeAll(async () => {
  broker = await startKafka({ folder: join(folder.path, 'kafka') });
}, 90_000);
afterAll(async () => {
  await broker?.stop();
  folder.remove();
}, 30_000);

function envOf(topic: string): Record<string, string> {
  return { KAFKA_BROKERS: broker.address, KAFKA_TOPIC: topic };
}

/** Runs `tachograph topics create`, and answers its exit code and what it printed on either stream. */
async function create(env: NodeJS.ProcessEnv, ...args: string[]) {
  const io = fakeIo(env);
  const code = await runCli(['topics', 'create', ...args], io);
  return { code, printed: io.printed(), complained: io.complained() };
}

async function settingsOf(topic: string, names: readonly string[]) {
  const { setting } = rawTopic(broker.address, topic);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await setting(name)])));
}

/** Waits for settings that a broker has taken, but may not show yet. */
async function untilSettings(topic: string, wanted: Readonly<Record<string, string>>): Promise<void> {
  await eventually(`${topic} with ${JSON.stringify(wanted)}`, async () =>
    isDeepStrictEqual(await settingsOf(topic, Object.keys(wanted)), wanted) ? true : null,
  );
}

describe('tachograph topics create', () => {
  it('makes the topic with the settings that were asked for, and says what one replica costs', async () => {
    const made = await create(envOf('made'), ...SINGLE, '--partitions', '3', '--retention', '90d');
    expect(made).toMatchObject({ code: 0, complained: '' });
    expect(made.printed.split('\n')).toEqual([
      'made was made: 3 partitions, 1 replica, 1 in sync.',
      '! replication is 1: an acknowledged event is lost with its broker.',
      '! min.insync.replicas is 1: one broker alone may acknowledge an event.',
      '',
    ]);
    const wanted = {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'max.message.bytes': '4194304',
      'min.insync.replicas': '1',
      'retention.bytes': '-1',
      'retention.ms': String(90 * 86_400_000),
      'unclean.leader.election.enable': 'false',
    };
    expect(await settingsOf('made', Object.keys(wanted))).toEqual(wanted);
  });

  it('mends the settings of a topic that is there, keeps its partitions, and then has nothing to do', async () => {
    const env = envOf('mended');
    const forever = [...SINGLE, '--retention', 'forever'];
    expect((await create(env, ...forever, '--partitions', '2')).code).toBe(0);
    const unsafe = {
      'cleanup.policy': 'compact',
      'retention.ms': '60000',
      'unclean.leader.election.enable': 'true',
    };
    await setTopic(broker.address, 'mended', unsafe);
    await untilSettings('mended', unsafe);

    const again = await create(env, ...forever, '--partitions', '5');
    expect(again).toMatchObject({ code: 0, complained: '' });
    expect(again.printed).toContain('mended was given these settings: 2 partitions');
    const safe = {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'unclean.leader.election.enable': 'false',
    };
    await untilSettings('mended', safe);
    expect((await create(env, ...forever)).printed).toContain('mended is as it should be: 2 partitions');
  });

  it('says that there are fewer brokers than replicas, and makes nothing', async () => {
    const failed = await create(envOf('wide'));
    expect(failed).toMatchObject({ code: 1, printed: '' });
    expect(failed.complained).toMatch(/^✗ The topic wide cannot be made: .*[Rr]eplication.?factor/);
    expect(failed.complained).toContain('that there are as many as --replicas asks for');
    expect(await create(envOf('wide'), ...SINGLE)).toMatchObject({
      code: 0,
      printed: expect.stringContaining('wide was made: 12 partitions'),
    });
  });

  it('names the topic and the reason where no broker answers', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const failed = await create({ KAFKA_BROKERS: nobody, KAFKA_TOPIC: 'audit.events' }, ...SINGLE);
    expect(failed).toMatchObject({ code: 1, printed: '' });
    expect(failed.complained).toMatch(/^✗ The topic audit\.events cannot be made: .*ECONNREFUSED/);
    expect(failed.complained).toContain('Check that the brokers run');
  });

  it('wants to be told the brokers', async () => {
    const failed = await create({});
    expect(failed).toMatchObject({ code: 1, printed: '' });
    expect(failed.complained).toBe('✗ No Kafka is named.\n  → Name its brokers with KAFKA_BROKERS.\n');
  });
});

describe('tachograph serve over Kafka', () => {
  const servers: Running[] = [];
  // Also those that should have ended by themselves.
  afterAll(() => Promise.all(servers.map((server) => server.end('SIGKILL'))));

  async function serve(name: string, env: Record<string, string>, ready?: RegExp): Promise<Running> {
    const server = await start(['serve'], { DATA_DIR: join(folder.path, name), PORT: '0', ...env }, ready);
    servers.push(server);
    return server;
  }

  it('refuses a topic that there is not, and names the command that makes it', async () => {
    const server = await serve('missing', envOf('missing'));
    expect(await server.ended).toBe(1);
    expect(server.output()).toContain('✗ There is no topic missing.');
    expect(server.output()).toContain('tachograph topics create');
  });

  it('refuses a topic of one replica, with every problem, unless KAFKA_ALLOW_UNSAFE is on', async () => {
    const env = envOf('single');
    expect((await create(env, ...SINGLE, '--partitions', '2')).code).toBe(0);
    const refused = await serve('single', env);
    expect(await refused.ended).toBe(1);
    expect(refused.output()).toContain('✗ The topic single may lose events.');
    expect(refused.output()).toContain('→ replication is 1');
    expect(refused.output()).toContain('→ min.insync.replicas is 1');
    expect(refused.output()).toContain('KAFKA_ALLOW_UNSAFE=on');

    const server = await serve('single', { ...env, KAFKA_ALLOW_UNSAFE: 'on' }, /Stop with Ctrl-C/);
    expect((await fetch(`${server.url()}/readyz`)).status).toBe(200);
    expect(await server.end('SIGTERM')).toBe(0);
  });
});
