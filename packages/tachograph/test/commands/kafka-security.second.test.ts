import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeAuthority } from '../../../../test/support/certificates.ts';
import { PASSWORD, startSecureKafka, USER, type SecureKafka } from '../../../../test/support/secure-kafka.ts';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { start, type Running } from '../support/running.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TOPIC = ['topics', 'create', '--replicas', '1', '--min-in-sync', '1', '--partitions', '2'];
const WRONG = 'wrong-horse-battery-staple';

const folder = tempFolder();
const servers: Running[] = [];
let kafka: SecureKafka;
beforeAll(async () => {
  kafka = await startSecureKafka(join(folder.path, 'kafka'));
  writeFileSync(join(folder.path, 'password'), `${PASSWORD}\n`);
  expect(await run(byPassword(), ...TOPIC)).toMatchObject({ code: 0 });
}, 90_000);
afterAll(async () => {
  for (const server of servers) await server.end('SIGKILL');
  await kafka?.broker.stop();
  folder.remove();
}, 30_000);

type Env = Readonly<Record<string, string>>;

function common(brokers: string): Env {
  return { KAFKA_BROKERS: brokers, KAFKA_ALLOW_UNSAFE: 'on', PORT: '0' };
}

function byCertificate(): Env {
  return {
    ...common(kafka.at.mtls),
    ...tls(),
    KAFKA_TLS_CERT_FILE: kafka.client.cert,
    KAFKA_TLS_KEY_FILE: kafka.client.key,
  };
}

function byPassword(): Env {
  return {
    ...common(kafka.at.users),
    ...tls(),
    ...user(),
    KAFKA_SASL_PASSWORD_FILE: join(folder.path, 'password'),
  };
}

function tls(): Env {
  return { KAFKA_TLS: 'on', KAFKA_TLS_CA_FILE: kafka.authority.cert };
}

function user(): Env {
  return { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: USER };
}

function dataDir(name: string): Env {
  return { DATA_DIR: join(folder.path, name) };
}

async function run(env: Env, ...args: string[]): Promise<{ code: number; output: string }> {
  const io = fakeIo({ ...dataDir('doctor'), ...env });
  const code = await runCli(args, io);
  return { code, output: io.printed() + io.complained() };
}

async function serve(env: Env, ready?: RegExp): Promise<Running> {
  const server = await start(['serve'], env, ready);
  servers.push(server);
  return server;
}

describe('tachograph over a Kafka that wants to know who comes', () => {
  it.each<readonly [string, () => Env]>([
    ['a certificate', byCertificate],
    ['a password', byPassword],
  ])('makes the topic, finds it good and serves with %s, and shows no secret', async (name, env) => {
    const made = await run(env(), ...TOPIC);
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining('2 partitions') });
    const found = await run(env(), 'doctor');
    expect(found.output).toMatch(/✓ log +2 partitions can be read/);
    const kept = { ...dataDir(name.replace(' ', '-')), LOG_LEVEL: 'trace' };
    const server = await serve({ ...env(), ...kept }, /Stop with Ctrl-C/);
    expect((await fetch(`${server.url()}/readyz`)).status).toBe(200);
    expect(await server.end('SIGTERM')).toBe(0);
    const printed = made.output + found.output + server.output();
    expect(printed).not.toContain(PASSWORD);
    expect(printed).not.toContain('PRIVATE KEY');
  });

  it('does not start with a wrong password, says so within seconds, and shows neither', async () => {
    const env = { ...common(kafka.at.users), ...tls(), ...user(), KAFKA_SASL_PASSWORD: WRONG };
    const server = await serve({ ...env, ...dataDir('wrong'), LOG_LEVEL: 'trace' });
    expect(await server.ended).toBe(1);
    expect(server.output()).toContain('the broker does not know this user with this password');
    expect(server.output()).toContain('→ Check KAFKA_SASL_USERNAME, and KAFKA_SASL_PASSWORD');
    const made = await run(env, ...TOPIC);
    expect(made.output).toContain('cannot be made: the broker does not know this user with this password');
    expect(server.output() + made.output).not.toContain(WRONG);
  });
});

describe('tachograph doctor', () => {
  it.each<readonly [string, () => Env, string, string]>([
    [
      'a wrong authority',
      () => ({ ...byPassword(), KAFKA_TLS_CA_FILE: makeAuthority(folder.path, 'strangers').cert }),
      "the broker's certificate is of no authority that is trusted here",
      'KAFKA_TLS_CA_FILE',
    ],
    [
      'an expired certificate',
      () => ({ ...common(kafka.at.expired), ...tls() }),
      "the broker's certificate has expired",
      'Renew',
    ],
    [
      'a wrong host name',
      () => ({ ...common(kafka.at.named), ...tls() }),
      "the broker's certificate is for another name",
      'KAFKA_TLS_SERVER_NAME',
    ],
    [
      'a missing client certificate',
      () => ({ ...common(kafka.at.mtls), ...tls() }),
      'the broker asks for a certificate of this client, and was shown none',
      'KAFKA_TLS_CERT_FILE',
    ],
    [
      'plaintext to a port with TLS',
      () => common(kafka.at.mtls),
      'this port of the broker speaks TLS, and was spoken to without',
      'KAFKA_TLS=on',
    ],
    [
      'TLS to a port without',
      () => ({ ...common(kafka.at.plaintext), ...tls() }),
      'this port of the broker does not speak TLS',
      'KAFKA_BROKERS',
    ],
    [
      'a missing user',
      () => ({ ...common(kafka.at.users), ...tls() }),
      'this port of the broker wants a user, and was given none',
      'KAFKA_SASL_MECHANISM',
    ],
    [
      'a key of another certificate',
      () => ({ ...byCertificate(), KAFKA_TLS_KEY_FILE: kafka.authority.issue('other', []).key }),
      'a file of its TLS settings cannot be used',
      'KAFKA_TLS_KEY_FILE',
    ],
  ])('says what is wrong with %s, and what mends it', async (_, env, what, mend) => {
    const { code, output } = await run(env(), 'doctor');
    expect(code).toBe(1);
    const [, found, mends] = /✗ log +(.*)\n((?: *→.*\n)+)/.exec(output) ?? [];
    expect(found).toContain(what);
    expect(mends).toContain(mend);
  });
});
