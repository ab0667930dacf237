import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const JARS = fileURLToPath(new URL('../../.cache/kafka', import.meta.url));
const JAVA = ['java', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(JARS, '*')];

/**
 * Ends the broker with whoever started it, however that dies: then the standard input ends. A stopped one has to go
 * on to end, and one that takes too long is killed (it waits minutes for a controller that is gone). At its end
 * the rest of the group goes too.
 */
const LAUNCH = `exec 3<&0
"$@" >>"$LOG" 2>&1 </dev/null 3<&- & pid=$!
echo $pid >"$PID_FILE.new"; mv "$PID_FILE.new" "$PID_FILE"
(cat <&3 >/dev/null; kill $pid; kill -CONT $pid; sleep 15; kill -KILL $pid) 2>/dev/null &
wait $pid; trap '' TERM; kill 0`;

/** A running broker, as its operating system sees it. */
export type KafkaProcess = {
  readonly hasEnded: () => boolean;
  /** Delivers a signal to the broker itself. */
  readonly signal: (name: NodeJS.Signals) => void;
  /** Ends it in an orderly way, unless it has ended already. */
  readonly end: () => Promise<void>;
};

export async function launchBroker(folder: string, config: string, logFile: string): Promise<KafkaProcess> {
  const pidFile = join(folder, 'broker.pid');
  await rm(pidFile, { force: true });
  // A process group of its own: Ctrl-C in a terminal is for the server, which settles what is in flight first.
  const shell = spawn('sh', ['-c', LAUNCH, 'sh', ...JAVA, 'kafka.Kafka', config], {
    env: { ...process.env, LOG: logFile, PID_FILE: pidFile },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = once(shell, 'exit');
  // A broker that nobody stops does not keep its starter from ending, and then ends too.
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  const pid = await eventually('the pid', async () =>
    existsSync(pidFile) ? Number(await readFile(pidFile, 'utf8')) : null,
  );
  const hasEnded = (): boolean => shell.exitCode !== null || shell.signalCode !== null;
  return {
    hasEnded,
    signal: (name) => {
      if (!hasEnded()) process.kill(pid, name);
    },
    end: async () => {
      shell.ref();
      shell.stdin?.end();
      await ended;
    },
  };
}

/** Makes a broker's folder one, unless it is already. */
export async function formatStorage(
  config: string,
  clusterId: string,
  args: readonly string[],
): Promise<void> {
  if (!existsSync(JARS)) throw new Error('Apache Kafka is not there yet: run `npm test`, which brings it');
  const [java, ...options] = JAVA;
  const format = ['kafka.tools.StorageTool', 'format', '-g', '-t', clusterId, '-c', config, ...args];
  const tool = spawn(java!, [...options, ...format], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [tool.stdout, tool.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(tool, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the broker's folder was not formatted:\n${output}`);
}
