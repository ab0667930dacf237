import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { Certificate } from './certificates.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const RSYSLOGD = '/usr/sbin/rsyslogd';

export type Rsyslog = {
  readonly port: number;
  /** The MSG of every message that it has stored, oldest first. */
  readonly stored: () => Promise<string[]>;
  readonly kill: () => Promise<void>;
  /** Starts it again after `kill`, with what it has stored. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

type Transport =
  | { readonly kind: 'tcp' | 'udp' }
  | { readonly kind: 'tls'; readonly certificate: Certificate; readonly authority: string };

/** A real rsyslog of its own below `folder`, apart from that of the system. */
export async function startRsyslog(folder: string, transport: Transport): Promise<Rsyslog> {
  const port = await freePort();
  const [config, pidFile, store] = ['rsyslog.conf', 'rsyslog.pid', 'messages'].map((name) =>
    join(folder, name),
  );
  await writeFile(config!, configOf(transport, port, folder, store!));
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const started = spawn(RSYSLOGD, ['-n', '-f', config!, '-i', pidFile!], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child = started;
    await eventually('rsyslog receives', () => {
      if (started.exitCode !== null) throw new Error(`rsyslog ended with ${started.exitCode}`);
      return transport.kind === 'udp' ? isBound(port) : accepts(port);
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  };
  await start();
  return {
    port,
    start,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    stored: async () => {
      if (!existsSync(store!)) return [];
      return (await readFile(store!, 'utf8')).split('\n').slice(0, -1);
    },
  };
}

function configOf(transport: Transport, port: number, folder: string, store: string): string {
  const tls =
    transport.kind === 'tls'
      ? `DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="${transport.authority}" ` +
        `DefaultNetstreamDriverCertFile="${transport.certificate.cert}" DefaultNetstreamDriverKeyFile="${transport.certificate.key}"`
      : '';
  const streamDriver =
    transport.kind === 'tls'
      ? 'StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon"'
      : '';
  const input = transport.kind === 'udp' ? 'imudp' : 'imtcp';
  return `global(workDirectory="${folder}" maxMessageSize="64k" ${tls})
module(load="${input}" ${streamDriver})
input(type="${input}" address="127.0.0.1" port="${port}")
template(name="message" type="string" string="%msg%\\n")
*.* action(type="omfile" file="${store}" template="message")
`;
}

/** Nobody answers a datagram: the kernel's table says whether its port is taken. */
async function isBound(port: number): Promise<true | null> {
  const table = await readFile('/proc/net/udp', 'utf8');
  return table.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `) ? true : null;
}

function accepts(port: number): Promise<true | null> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(null));
  });
}
