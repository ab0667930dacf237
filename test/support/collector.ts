import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const BINARY = fileURLToPath(new URL('../../.cache/collector/otelcol', import.meta.url));
const START_MS_MAX = 30_000;

/** One log record as the Collector's file exporter writes it. */
type CollectedRecord = {
  readonly timeUnixNano: string;
  readonly body: { readonly stringValue?: string; readonly kvlistValue?: unknown };
  readonly attributes: ReadonlyMap<string, unknown>;
};

export type Collector = {
  /** The port of its receiver. */
  readonly port: number;
  /** Everything that it has stored, in the order of storing. */
  readonly stored: () => Promise<CollectedRecord[]>;
  /** Ends it at once, as if its machine had gone. */
  readonly kill: () => Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Starts it again after `kill`, with what it has stored. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * The real OpenTelemetry Collector with one receiver, which stores what it receives in files below `folder`.
 * `receiver` is the YAML of the receiver, with `PORT` where its port stands; `extensions` likewise.
 */
export async function startCollector(options: {
  readonly folder: string;
  readonly name: string;
  readonly receiver: readonly string[];
  readonly extensions?: readonly string[];
}): Promise<Collector> {
  const { folder, name } = options;
  const port = await freePort();
  const config = join(folder, 'collector.yaml');
  await writeFile(config, configOf({ ...options, port }));
  let child: ChildProcess | null = null;
  let starts = 0;
  const start = async (): Promise<void> => {
    const file = join(folder, `stored-${String(++starts).padStart(3, '0')}.jsonl`);
    const started = spawn(BINARY, ['--config', config], {
      env: { PATH: process.env['PATH'] ?? '', STORE: file },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child = started;
    await eventually(
      `the Collector receives ${name}`,
      () => {
        if (started.exitCode !== null) throw new Error(`the Collector ended with ${started.exitCode}`);
        return answers(port);
      },
      START_MS_MAX,
    );
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGCONT');
    running.kill(signal);
    await ended;
  };
  await start();
  return {
    port,
    start,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    stored: async () => {
      const files = (await readdir(folder)).filter((file) => file.startsWith('stored-')).toSorted();
      const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
      return texts.flatMap(recordsIn);
    },
  };
}

function configOf(options: {
  readonly port: number;
  readonly name: string;
  readonly receiver: readonly string[];
  readonly extensions?: readonly string[];
}): string {
  const { port, name, receiver, extensions = [] } = options;
  const indented = (lines: readonly string[]): string =>
    lines.map((line) => `    ${line.replaceAll('PORT', String(port))}\n`).join('');
  const named = extensions.flatMap((line) => /^(\w+):/.exec(line)?.[1] ?? []);
  return `receivers:
  ${name}:
${indented(receiver)}exporters:
  file:
    path: \${env:STORE}
    # With rotation nothing is buffered: each request is in the file before it is answered.
    rotation: { max_megabytes: 1024 }
${extensions.length === 0 ? '' : `extensions:\n${extensions.map((line) => `  ${line}\n`).join('')}`}service:
  telemetry:
    logs: { level: warn }
    metrics: { level: none }
  extensions: [${named.join(', ')}]
  pipelines:
    logs:
      receivers: [${name}]
      exporters: [file]
`;
}

/** Whether something accepts connections there. */
function answers(port: number): Promise<true | null> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(null));
  });
}

type Value = { readonly stringValue?: string; readonly intValue?: string; readonly doubleValue?: number };
type Attribute = { readonly key: string; readonly value: Value };
type Exported = {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly (Omit<CollectedRecord, 'attributes'> & {
        readonly attributes?: readonly Attribute[];
      })[];
    }[];
  }[];
};

/** A line that was being written when the Collector was killed was not answered, and is left out. */
function recordsIn(text: string): CollectedRecord[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const { resourceLogs } = JSON.parse(line) as Exported;
    const records = resourceLogs.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords),
    );
    return records.map(({ timeUnixNano, body, attributes = [] }) => ({
      timeUnixNano,
      body,
      attributes: new Map(attributes.map(({ key, value }) => [key, plain(value)])),
    }));
  });
}

function plain({ stringValue, intValue, doubleValue }: Value): unknown {
  return stringValue ?? (intValue === undefined ? doubleValue : Number(intValue));
}
