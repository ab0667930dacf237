import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createKafkaTopic,
  openKafkaLog,
  type KafkaLog,
  type KafkaSasl,
  type KafkaTls,
} from '@tachograph/event-log';
import { describeEventLogContract, type OpenedLog } from '../../../test/contracts/event-log.contract.ts';
import { appendAll, numbered } from '../../../test/contracts/event-log-records.ts';
import { makeAuthority, type Certificate } from '../../../test/support/certificates.ts';
import { PASSWORD, startSecureKafka, USER, type SecureKafka } from '../../../test/support/secure-kafka.ts';

let folder: string;
let kafka: SecureKafka;
let topics = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tachograph-kafka-'));
  kafka = await startSecureKafka(folder);
}, 90_000);
afterAll(async () => {
  await kafka?.broker.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

type Way = { readonly brokers: readonly string[]; readonly tls: KafkaTls; readonly sasl?: KafkaSasl };

async function openedBy(way: Way): Promise<OpenedLog> {
  const topic = `audit.${++topics}`;
  const settings = { partitions: 2, replicas: 1, minInSync: 1, retentionMs: null };
  await createKafkaTopic({ ...way, topic, ...settings });
  const logs: KafkaLog[] = [];
  const reopen = async (): Promise<KafkaLog> => {
    const positions = join(folder, `${topic}.sqlite`);
    const timing = { leaseMs: 600, pollMs: 20 };
    const log = await openKafkaLog({ ...way, topic, positions, allowUnsafe: true, ...timing });
    logs.push(log);
    return log;
  };
  const destroy = async (): Promise<void> => {
    for (const log of logs) await log.close();
  };
  return { log: await reopen(), reopen, destroy };
}

describeEventLogContract('the Kafka log over mTLS', () =>
  openedBy({
    brokers: [kafka.at.mtls],
    tls: { caFile: kafka.authority.cert, certFile: kafka.client.cert, keyFile: kafka.client.key },
  }),
);

describeEventLogContract('the Kafka log over TLS as a user by SCRAM', () =>
  openedBy({
    brokers: [kafka.at.users],
    tls: { caFile: kafka.authority.cert },
    sasl: { mechanism: 'scram-sha-512', username: USER, password: { reveal: () => PASSWORD } },
  }),
);

describe('the Kafka log over mTLS', () => {
  it('shows the certificate that is in the file when it connects, not the one of its start', async () => {
    const [certFile, keyFile] = [join(folder, 'rotated.pem'), join(folder, 'rotated.key')];
    const rotate = ({ cert, key }: Certificate): void => {
      copyFileSync(cert, certFile);
      copyFileSync(key, keyFile);
    };
    rotate(kafka.client);
    const tls = { caFile: kafka.authority.cert, certFile, keyFile };
    const { log, destroy } = await openedBy({ brokers: [kafka.at.mtls], tls });
    await appendAll(log, 0, numbered(1));
    rotate(makeAuthority(folder, 'strangers').issue('stranger', []));
    // Partition 1 has no connection yet; that of partition 0 goes on.
    const refused = await log.append(1, numbered(1), AbortSignal.timeout(20_000));
    expect(refused.kind).toBe('ambiguous');
    await appendAll(log, 0, numbered(1));
    rotate(kafka.authority.issue('renewed', []));
    await appendAll(log, 1, numbered(1));
    await destroy();
  });
});
