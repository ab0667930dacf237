import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../../test/support/free-port.ts';

const MAIN = fileURLToPath(new URL('../../packages/tachograph/dist/main.js', import.meta.url));
const ADMIN_TOKEN = 'bench-administrator-token-of-enough-length';
const START_MS_MAX = 30_000;

/**
 * The ingest role alone over Kafka, in a process of its own, on a fresh folder; before it the control role, which
 * makes the tenant and a token for `devices` devices, and goes again.
 *
 * @param {{ brokers: string, topic: string, partitions: number, tenant: string, devices: number, nodeArgs?: string[] }} options
 */
export async function startIngest({ brokers, topic, partitions, tenant, devices, nodeArgs = [] }) {
  const dataDir = await mkdtemp(join(tmpdir(), 'tachograph-bench-'));
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    DATA_DIR: dataDir,
    ADMIN_TOKEN,
    LOG_LEVEL: 'warn',
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC: topic,
    // One broker on this machine.
    KAFKA_ALLOW_UNSAFE: 'on',
  };
  const tachograph = (args, more = []) =>
    spawn(process.execPath, [...more, MAIN, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const finished = async (args) => {
    const [code] = await once(tachograph(args), 'exit');
    if (code !== 0) throw new Error(`tachograph ${args.join(' ')} ended with ${code}`);
  };
  await finished(['keys', 'create']);
  const replicas = ['--replicas', '1', '--min-in-sync', '1'];
  await finished(['topics', 'create', '--partitions', String(partitions), ...replicas]);
  const url = `http://127.0.0.1:${port}`;
  const token = await withRole(tachograph(['control']), url, async () => {
    await control(`${url}/admin/v1/tenants`, { id: tenant, name: tenant });
    const tokens = `${url}/admin/v1/tenants/${tenant}/enrolment-tokens`;
    return (await control(tokens, { uses: devices, expiresInSeconds: 3600 })).token;
  });
  const child = tachograph(['ingest'], nodeArgs);
  await ready(child, url);
  return {
    url,
    port,
    token,
    pid: child.pid,
    async stop() {
      await ended(child);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function withRole(child, url, work) {
  try {
    await ready(child, url);
    return await work();
  } finally {
    await ended(child);
  }
}

async function ready(child, url) {
  await eventually(
    `ready at ${url}`,
    async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      const answer = await fetch(`${url}/readyz`).catch(() => null);
      return answer?.ok ? true : null;
    },
    START_MS_MAX,
  );
}

async function ended(child) {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

async function control(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
