import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, closeSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const JARS = fileURLToPath(new URL('../../.cache/kafka', import.meta.url));
const START_MS_MAX = 60_000;
/** Any 16 bytes in base64: a cluster of one broker needs a name, not an identity. */
const CLUSTER_ID = 'dGFjaG9ncmFwaC10ZXN0cw';

/**
 * Ends the broker with whoever started it, however that dies: then the standard input ends.
 */
const LAUNCH = '"$@" >>"$LOG" 2>&1 </dev/null & pid=$!; cat >/dev/null; kill $pid 2>/dev/null; wait';

export type KafkaBroker = {
  /** `host:port`, as `KAFKA_BROKERS` takes it. */
  readonly address: string;
  /** What the broker has logged, over all its starts. */
  readonly log: () => Promise<string>;
  /** Ends it in an orderly way; its data stays. */
  readonly stop: () => Promise<void>;
};

/**
 * Starts one Apache Kafka broker (KRaft, its own controller) that keeps everything under `folder`, and waits until
 * it answers. A folder that has been a broker's before goes on with what is in it.
 */
export async function startKafka(options: { folder: string; port?: number }): Promise<KafkaBroker> {
  if (!existsSync(JARS)) throw new Error('Apache Kafka is not there yet: run `npm test`, which brings it');
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  const port = options.port ?? (await freePort());
  const config = join(folder, 'server.properties');
  await writeFile(config, properties(join(folder, 'data'), port, await freePort()));
  const java = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(JARS, '*')];
  const formatted = spawnSync(
    'java',
    [...java, 'kafka.tools.StorageTool', 'format', '-g', '-t', CLUSTER_ID, '-c', config],
    { encoding: 'utf8' },
  );
  if (formatted.status !== 0)
    throw new Error(`the broker's folder was not formatted:\n${formatted.stdout}${formatted.stderr}`);
  const logFile = join(folder, 'broker.log');
  closeSync(openSync(logFile, 'a'));
  const log = (): Promise<string> => readFile(logFile, 'utf8');
  const before = (await log()).length;
  // A process group of its own: Ctrl-C in a terminal is for the server, which settles what is in flight first.
  const shell = spawn('sh', ['-c', LAUNCH, 'sh', 'java', ...java, 'kafka.Kafka', config], {
    env: { ...process.env, LOG: logFile },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const exited = once(shell, 'exit');
  // A broker that nobody stops does not keep its starter from ending, and then ends too.
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  const stop = async (): Promise<void> => {
    shell.ref();
    shell.stdin?.end();
    await exited;
  };
  try {
    await eventually(
      `a broker on port ${port}`,
      async () => {
        if (shell.exitCode !== null) throw new Error(`the broker ended:\n${(await log()).slice(-4_000)}`);
        return (await answers(port)) && /Kafka Server started/.test((await log()).slice(before))
          ? true
          : null;
      },
      START_MS_MAX,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `127.0.0.1:${port}`, log, stop };
}

function properties(dataDir: string, port: number, controllerPort: number): string {
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dataDir,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Whether something takes connections on `port` of this machine; no answer is what "not yet" looks like. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}
