import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { makeAuthority, type Authority } from '../../../../test/support/certificates.ts';
import { freePort } from '../../../../test/support/free-port.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { probeDestination } from '../../src/probe/probe.ts';
import { secretReader } from '../../src/secret.ts';
import { fileSink } from '../../src/sinks/file.ts';
import type { Probe, Sink } from '../../src/sinks/sink.ts';
import { POST_SINK } from '../support/post-sink.ts';
import { FastClock } from '../support/surroundings.ts';

const SECRET = 'hunter2';

describe('looking at a destination', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let authority: Authority;
  const servers: Server[] = [];

  beforeAll(async () => {
    dir = await tempDir();
    authority = makeAuthority(dir.path, 'ours');
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => dir.remove());

  const probe = (sink: Sink, config: { readonly type: string }, waitMs = 5_000): Promise<Probe> =>
    probeDestination(sink, config, {
      exportDir: join(dir.path, 'export'),
      readSecret: secretReader({ TOKEN: SECRET }),
      clock: new FastClock(),
      signal: AbortSignal.timeout(waitMs),
    });
  const listening = async (server: Server): Promise<number> => {
    servers.push(server);
    server.on('connection', (socket) => socket.on('error', () => undefined));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const post = (url: string, more: object = {}) => ({ type: 'post', url, token: { env: 'TOKEN' }, ...more });

  it('finds one that can be reached', async () => {
    const port = await listening(createServer());
    expect(await probe(POST_SINK, post(`http://127.0.0.1:${port}/services`))).toEqual({
      ready: true,
      found: 'it can be reached',
    });
  });

  it('finds where nothing listens, and where nothing answers', async () => {
    const port = await freePort();
    expect(await probe(POST_SINK, post(`http://127.0.0.1:${port}`))).toMatchObject({
      ready: false,
      found: `nothing listens at 127.0.0.1:${port}`,
      mend: expect.arrayContaining([expect.stringMatching(/./)]),
    });
    // Takes connections, and never says a word of TLS.
    const silent = await listening(createServer());
    expect(await probe(POST_SINK, post(`https://127.0.0.1:${silent}`), 200)).toMatchObject({
      ready: false,
      found: `127.0.0.1:${silent} does not answer`,
    });
  });

  it('tells a certificate of an unknown authority from one for another name, and one that has expired', async () => {
    const serve = (name: string, names: string[], days?: number) => {
      const { cert, key } = authority.issue(name, names, days);
      return listening(createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }));
    };
    const tls = { caFile: authority.cert };
    const good = `https://127.0.0.1:${await serve('good', ['IP:127.0.0.1'])}`;
    expect(await probe(POST_SINK, post(good, { tls }))).toMatchObject({ ready: true });
    expect(await probe(POST_SINK, post(good))).toMatchObject({
      ready: false,
      found: expect.stringContaining('authority that is not trusted'),
      mend: ['Set tls.caFile to the certificate of that authority.'],
    });
    const other = `https://127.0.0.1:${await serve('other', ['DNS:siem.example'])}`;
    expect(await probe(POST_SINK, post(other, { tls }))).toMatchObject({
      ready: false,
      found: expect.stringContaining('for another name'),
    });
    expect(
      await probe(POST_SINK, post(other, { tls: { ...tls, serverName: 'siem.example' } })),
    ).toMatchObject({ ready: true });
    const late = `https://127.0.0.1:${await serve('late', ['IP:127.0.0.1'], -1)}`;
    expect(await probe(POST_SINK, post(late, { tls }))).toMatchObject({
      ready: false,
      found: expect.stringContaining('has expired'),
    });
    const plain = `https://127.0.0.1:${await listening(createServer((socket) => socket.end('plain\n')))}`;
    expect(await probe(POST_SINK, post(plain, { tls }))).toMatchObject({
      ready: false,
      found: expect.stringContaining('does not speak TLS'),
    });
    expect(await probe(POST_SINK, post(good, { tls: { caFile: join(dir.path, 'none.pem') } }))).toMatchObject(
      {
        ready: false,
        found: 'a file of tls cannot be read (ENOENT)',
      },
    );
  });

  it('finds a secret that is missing before it tries anything, and never shows one that is there', async () => {
    const port = await listening(createServer());
    const url = `http://127.0.0.1:${port}/${SECRET}?key=${SECRET}`;
    expect(await probe(POST_SINK, post(url, { token: { env: 'NO_TOKEN' } }))).toEqual({
      ready: false,
      found: 'the variable NO_TOKEN should hold a secret, and is empty or missing',
      mend: ['Give NO_TOKEN to the process that exports, and to this command.'],
    });
    const file = join(dir.path, 'token');
    expect(await probe(POST_SINK, post(url, { headers: { key: { file } } }))).toMatchObject({
      ready: false,
      found: `the file ${file} should hold a secret, and cannot be read: ENOENT`,
    });
    writeFileSync(file, SECRET);
    const found = [
      await probe(POST_SINK, post(url, { headers: { key: { file } } })),
      await probe(POST_SINK, post(url.replace('http:', 'https:'))),
      await probe({ ...POST_SINK, probe: () => Promise.reject(new Error(SECRET)) }, post(url)),
    ];
    expect(found.map(({ ready }) => ready)).toEqual([true, false, false]);
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });

  it('asks a sink that knows more than that it can be reached', async () => {
    const knowing: Sink = {
      ...POST_SINK,
      probe: async () => ({ ready: false, found: 'the token may not write', mend: ['Give it the right.'] }),
    };
    expect(await probe(knowing, post('http://127.0.0.1:1'))).toMatchObject({
      found: 'the token may not write',
    });
  });

  it('finds whether a file could be written, and makes none', async () => {
    const feed = { type: 'file', stem: 'feed' };
    const folder = join(dir.path, 'export');
    const file = join(folder, 'feed.ndjson');
    expect(await probe(fileSink, feed)).toEqual({ ready: true, found: `${file} can be made` });
    expect(existsSync(folder)).toBe(false);
    mkdirSync(folder);
    writeFileSync(file, '');
    expect(await probe(fileSink, feed)).toEqual({ ready: true, found: `${file} can be written` });
  });

  it('finds a file where the folder should be', async () => {
    mkdirSync(join(dir.path, 'other'));
    writeFileSync(join(dir.path, 'other', 'export'), '');
    const feed = { type: 'file', stem: 'feed' };
    const found = await probeDestination(fileSink, feed, {
      exportDir: join(dir.path, 'other', 'export'),
      readSecret: secretReader({}),
      clock: new FastClock(),
      signal: AbortSignal.timeout(5_000),
    });
    expect(found).toMatchObject({ ready: false, found: expect.stringContaining('ENOTDIR') });
  });
});
