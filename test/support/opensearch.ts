import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { freePort, isFree } from './free-port.ts';

const JARS = fileURLToPath(new URL('../../.cache/opensearch/*', import.meta.url));
const START_MS_MAX = 90_000;
/** The runner takes no HTTP port above 9299, and one above what it is told. */
const PORTS = { from: 9_211, to: 9_298 };

export type OpenSearchNode = {
  readonly url: string;
  readonly kill: () => Promise<void>;
  /** Starts it again after `kill`, with what it has stored. */
  readonly start: () => Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly stop: () => Promise<void>;
  /** Every document of the indexes, with its `_id`, `_index` and source. */
  readonly documents: (index: string) => Promise<StoredDocument[]>;
  /** Calls its API; `body` is JSON. */
  readonly call: (method: string, path: string, body?: object) => Promise<unknown>;
};

type StoredDocument = {
  readonly _id: string;
  readonly _index: string;
  readonly _source: Record<string, unknown>;
};

/** A real OpenSearch of one node below `folder`, with further lines of `opensearch.yml`. */
export async function startOpenSearch(
  folder: string,
  settings: readonly string[] = [],
): Promise<OpenSearchNode> {
  const port = await freeHttpPort();
  const config = join(folder, 'node_1', 'config');
  await mkdir(config, { recursive: true });
  const lines = [`transport.port: ${await freePort()}`, 'network.host: 127.0.0.1', ...settings];
  await writeFile(join(config, 'opensearch.yml'), lines.map((line) => `${line}\n`).join(''));
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const args = ['-Xms512m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', JARS];
    const runner = ['org.codelibs.opensearch.runner.OpenSearchRunner', '-numOfNode', '1', '-useLogger'];
    const where = ['-basePath', folder, '-clusterName', 'tachograph-test', '-baseHttpPort', String(port - 1)];
    const started = spawn('java', [...args, ...runner, ...where], { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(join(folder, 'opensearch.log'), { flags: 'a' });
    started.stdout.pipe(log);
    started.stderr.pipe(log);
    child = started;
    await eventually(
      'OpenSearch answers',
      async () => {
        if (started.exitCode !== null) throw new Error(`OpenSearch ended with ${started.exitCode}`);
        const path = '/_cluster/health?wait_for_status=yellow&timeout=1s';
        const answer = await fetch(`${url}${path}`).catch(() => null);
        return answer?.ok ? true : null;
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
  const call: OpenSearchNode['call'] = async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.json();
  };
  await start();
  return {
    url,
    start,
    call,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    documents: (index) => allDocuments(call, index),
  };
}

const PAGE = 5_000;

async function allDocuments(call: OpenSearchNode['call'], index: string): Promise<StoredDocument[]> {
  await call('POST', `/${index}/_refresh`);
  const all: StoredDocument[] = [];
  let after: unknown;
  for (;;) {
    const page = (await call('POST', `/${index}/_search`, {
      size: PAGE,
      sort: [{ 'event.id': 'asc' }],
      ...(after === undefined ? {} : { search_after: after }),
    })) as { hits: { hits: (StoredDocument & { sort: unknown })[] } };
    const { hits } = page.hits;
    all.push(...hits);
    if (hits.length < PAGE) return all;
    after = hits.at(-1)!.sort;
  }
}

async function freeHttpPort(): Promise<number> {
  for (let port = PORTS.from; port <= PORTS.to; port++) if (await isFree(port)) return port;
  throw new Error('no port is free for OpenSearch');
}
