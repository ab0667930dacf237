import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createKafkaTopic,
  KafkaRefusedError,
  openKafkaLog,
  type KafkaLogOptions,
  type KafkaRefusal,
} from '@tachograph/event-log';
import {
  allRecords,
  appendAll,
  numbered,
  RecordingHandler,
  valueText,
} from '../../../test/contracts/event-log-records.ts';
import { encryptKey, makeAuthority } from '../../../test/support/certificates.ts';
import { PASSWORD, startSecureKafka, USER, type SecureKafka } from '../../../test/support/secure-kafka.ts';

const TOPIC = 'audit.secured';

let folder: string;
let kafka: SecureKafka;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tachograph-kafka-'));
  kafka = await startSecureKafka(folder);
  const settings = { partitions: 2, replicas: 1, minInSync: 1, retentionMs: null };
  await createKafkaTopic({ ...byCertificate(), topic: TOPIC, ...settings });
}, 90_000);
afterAll(async () => {
  await kafka?.broker.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

type Way = Omit<KafkaLogOptions, 'topic'>;

function ca(): { readonly caFile: string } {
  return { caFile: kafka.authority.cert };
}

function shown(certificate: { readonly cert: string; readonly key: string }) {
  return { certFile: certificate.cert, keyFile: certificate.key };
}

function byCertificate(): Way & { readonly tls: NonNullable<Way['tls']> } {
  return { brokers: [kafka.at.mtls], tls: { ...ca(), ...shown(kafka.client) } };
}

function user(
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512',
  password = PASSWORD,
): Pick<Way, 'sasl'> {
  return { sasl: { mechanism, username: USER, password: { reveal: () => password } } };
}

function byPassword(mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'): Way {
  return { brokers: [kafka.at.users], tls: ca(), ...user(mechanism) };
}

/** How brokers and client fail to come together. */
async function refusalOf(way: Way): Promise<KafkaRefusedError> {
  const opened = await openKafkaLog({ allowUnsafe: true, ...way, topic: TOPIC }).catch(
    (error: unknown) => error,
  );
  if (opened instanceof KafkaRefusedError) return opened;
  throw new Error('it was not refused', { cause: opened });
}

describe('the Kafka log', () => {
  it.each<readonly [string, () => Way]>([
    ['with a certificate of its own (mTLS)', byCertificate],
    ['as a user by SCRAM-SHA-512', () => byPassword('scram-sha-512')],
    ['as a user by SCRAM-SHA-256', () => byPassword('scram-sha-256')],
    ['as a user by PLAIN', () => byPassword('plain')],
    ['with an encrypted key', encrypted],
    ['where the certificate has one name for all', named],
  ])('appends and reads %s', async (name, way) => {
    const positions = join(folder, `${name.replaceAll(/\W/g, '-')}.sqlite`);
    const log = await openKafkaLog({ ...way(), topic: TOPIC, positions, allowUnsafe: true, pollMs: 20 });
    const from = await appendAll(log, 0, numbered(5, name));
    expect((await allRecords(log, 0, from)).map(valueText)).toEqual(numbered(5, name).map(valueText));
    const handler = new RecordingHandler();
    const end = new AbortController();
    const run = (await log.openGroup('g')).run(handler, end.signal);
    await handler.until(() => handler.texts(0).length === from + 5);
    end.abort();
    await run;
    await log.close();
  });

  function encrypted(): Way {
    const keyPassphraseFile = join(folder, 'passphrase');
    writeFileSync(keyPassphraseFile, 'open sesame\n');
    const keyFile = encryptKey(kafka.client.key, keyPassphraseFile);
    return { ...byCertificate(), tls: { ...byCertificate().tls, keyFile, keyPassphraseFile } };
  }

  function named(): Way {
    return { brokers: [kafka.at.named], tls: { ...ca(), serverName: 'kafka.example' } };
  }
});

describe('brokers and a client that do not come together', () => {
  it('are told apart, within seconds and without a word of the password', async () => {
    const stranger = makeAuthority(folder, 'strangers');
    const { at } = kafka;
    const scram = user('scram-sha-512');
    const cases: readonly (readonly [KafkaRefusal, Way])[] = [
      ['credentials', { ...byPassword('plain'), ...user('plain', 'wrong') }],
      ['credentials', { ...byPassword('plain'), ...user('scram-sha-256', 'wrong') }],
      ['credentials', { ...byPassword('plain'), ...user('scram-sha-512', 'wrong') }],
      ['certificate-untrusted', { ...byPassword('plain'), tls: {} }],
      ['certificate-untrusted', { ...byPassword('plain'), tls: { caFile: stranger.cert } }],
      ['certificate-expired', { brokers: [at.expired], tls: ca() }],
      ['certificate-name', { brokers: [at.named], tls: ca() }],
      ['client-certificate-missing', { brokers: [at.mtls], tls: ca() }],
      [
        'client-certificate-refused',
        { brokers: [at.mtls], tls: { ...ca(), ...shown(stranger.issue('stranger', [])) } },
      ],
      ['tls-wanted', { brokers: [at.mtls] }],
      ['tls-wanted', { brokers: [at.users], ...scram }],
      ['tls-unwanted', { brokers: [at.plaintext], tls: ca() }],
      ['tls-unwanted', { brokers: [at.clear], tls: ca(), ...scram }],
      ['sasl-wanted', { brokers: [at.users], tls: ca() }],
      ['sasl-wanted', { brokers: [at.clear] }],
      ['sasl-unwanted', { brokers: [at.plaintext], ...scram }],
      ['sasl-unwanted', { ...byCertificate(), ...scram }],
    ];
    const startedMs = performance.now();
    const found = await Promise.all(cases.map(([, way]) => refusalOf(way)));
    expect(found.map(({ reason }) => reason)).toEqual(cases.map(([reason]) => reason));
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    const printed = found.map(
      (error) => `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}`,
    );
    expect(printed.join('\n')).not.toContain(PASSWORD);
    expect(printed.join('\n')).not.toContain('PRIVATE KEY');
  });

  it('are not connected where a file of the settings cannot be used, which is named', async () => {
    const { tls } = byCertificate();
    const other = kafka.authority.issue('other', []);
    const wrong = join(folder, 'wrong');
    writeFileSync(wrong, 'not a certificate\n');
    const cases = [
      { ...tls, caFile: join(folder, 'nowhere') },
      { ...tls, caFile: wrong },
      { ...tls, certFile: wrong },
      { ...tls, keyFile: wrong },
      { ...tls, keyFile: other.key },
      { ...tls, keyFile: encryptKey(other.key, wrong) },
    ];
    const named = ['nowhere', 'wrong', 'wrong', 'wrong', other.key, `${other.key}.encrypted`];
    for (const [i, broken] of cases.entries()) {
      const refusal = await refusalOf({ ...byCertificate(), tls: broken });
      expect(refusal.reason).toBe('tls-files');
      expect(refusal.message).toContain(named[i]);
    }
  });

  it('are not connected where PLAIN would send the password unencrypted to another machine', async () => {
    const way = { brokers: ['192.0.2.1:9092'], ...user('plain'), allowUnsafe: false };
    expect((await refusalOf(way)).reason).toBe('password-in-clear');
  });
});
