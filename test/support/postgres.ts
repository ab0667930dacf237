import { execFileSync, spawn, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const USER = 'tachograph';
const PASSWORD = 'a-password-of-the-tests';

/** Ends the server with whoever started it, however that dies: then the standard input ends. */
const LAUNCH = `exec 3<&0
"$@" >>"$LOG" 2>&1 </dev/null 3<&- & pid=$!
(cat <&3 >/dev/null; kill -CONT $pid; kill -INT $pid) 2>/dev/null & watch=$!
wait $pid; kill $watch`;

export type Postgres = {
  /** Makes an empty database, and answers its URL with user and password. */
  readonly createDatabase: () => string;
  /** Runs statements in a database as its own command line does, and answers what that prints. */
  readonly psql: (url: string, sql: string) => string;
  /** Runs a statement in a transaction that stays open, with its locks, until it is released. */
  readonly hold: (url: string, sql: string) => Promise<{ readonly release: () => Promise<void> }>;
  /** Ends it as a crash does: what was not fsynced may be gone. Its data stays. */
  readonly crash: () => Promise<void>;
  /** Starts it again after `crash`, at the same address. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** PEM files of the server's own certificate. */
export type PostgresTls = { readonly cert: string; readonly key: string };

/**
 * Starts a PostgreSQL server on loopback, in a folder of its own, and waits until it answers. As root it runs as
 * another user, because it refuses to be root's.
 */
export async function startPostgres(tls: PostgresTls | null = null): Promise<Postgres> {
  const bin = findBin();
  const folder = mkdtempSync(join(tmpdir(), 'tachograph-postgres-'));
  const owner = ownerOf(folder);
  const [data, log, password] = ['data', 'log', 'password'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(password, PASSWORD);
  writeFileSync(log, '');
  for (const file of [password, log]) if (owner.uid !== undefined) chownSync(file, owner.uid, owner.gid!);
  const auth = ['-A', 'scram-sha-256', `--pwfile=${password}`];
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', USER, ...auth, '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8'],
    { ...owner, cwd: folder, stdio: 'pipe' },
  );
  const port = await freePort();
  const urlOf = (database: string): string => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
  const psql = (url: string, sql: string): string =>
    execFileSync(join(bin, 'psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql, url], { encoding: 'utf8' });
  const launch = async () => {
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`];
    if (tls !== null) settings.push('ssl=on', ...tlsSettings(tls, folder, owner));
    const server = [join(bin, 'postgres'), '-D', data, ...settings.flatMap((line) => ['-c', line])];
    const shell = spawn('sh', ['-c', LAUNCH, 'sh', ...server], {
      ...owner,
      cwd: folder,
      env: { ...process.env, LOG: log },
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    const ended = once(shell, 'exit');
    await eventually(`PostgreSQL on port ${port}`, () => {
      if (shell.exitCode !== null) throw new Error(`PostgreSQL ended:\n${readFileSync(log, 'utf8')}`);
      return isReady(bin, port) ? true : null;
    });
    return { shell, ended };
  };
  let running = await launch();
  return {
    createDatabase: () => {
      const name = `t_${randomBytes(6).toString('hex')}`;
      psql(urlOf('postgres'), `create database ${name}`);
      return urlOf(name);
    },
    psql,
    hold: (url, sql) => hold(join(bin, 'psql'), url, sql),
    crash: async () => {
      // An immediate shutdown: no checkpoint, no flush, and the next start recovers as after a power cut.
      const [pid] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
      process.kill(Number(pid), 'SIGQUIT');
      await running.ended;
    },
    start: async () => {
      running = await launch();
    },
    stop: async () => {
      running.shell.stdin?.end();
      await running.ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function hold(psql: string, url: string, sql: string): Promise<{ release: () => Promise<void> }> {
  const session = spawn(psql, ['-XAtq', '-v', 'ON_ERROR_STOP=1', url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(session, 'exit');
  let output = '';
  session.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  session.stdin.write(`begin;\n${sql};\n\\echo held\n`);
  await eventually('the lock', () => (output.includes('held') ? true : null));
  return {
    release: async () => {
      session.stdin.end('commit;\n');
      await ended;
    },
  };
}

function isReady(bin: string, port: number): boolean {
  try {
    execFileSync(join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]);
    return true;
  } catch {
    // Its exit code says "not yet".
    return false;
  }
}

const DEBIAN = '/usr/lib/postgresql';

/** The newest of Debian's versioned folders, else where the PATH has it. */
function findBin(): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(a) - Number(b)) : [];
  const folders = [
    ...versions.toReversed().map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
  const bin = folders.find((path) => existsSync(join(path, 'initdb')) && existsSync(join(path, 'postgres')));
  if (bin === undefined) throw new Error('PostgreSQL is not there yet: run `npm test`, which brings it');
  return bin;
}

/** The server refuses a key that others can read, or that is not its user's. */
function tlsSettings(tls: PostgresTls, folder: string, { uid, gid }: Owner): string[] {
  return (['cert', 'key'] as const).map((name) => {
    const file = join(folder, name);
    copyFileSync(tls[name], file);
    chmodSync(file, 0o600);
    if (uid !== undefined) chownSync(file, uid, gid!);
    return `ssl_${name}_file=${file}`;
  });
}

type Owner = Pick<SpawnOptions, 'uid' | 'gid'>;

/** Who the server runs as: this user, or for root `nobody`, who gets the folder. */
function ownerOf(folder: string): Owner {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' })),
  ) as [number, number];
  chownSync(folder, uid, gid);
  return { uid, gid };
}
