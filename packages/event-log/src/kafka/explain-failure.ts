import type { KafkaConnection } from './client.ts';
import { speaksKafka, speaksTls } from './probe.ts';
import { KafkaRefusedError, type KafkaRefusal } from './refused-error.ts';
import { refuseToTellPassword, tlsOptions } from './security.ts';
import { Sockets } from './sockets.ts';

/** What Node and OpenSSL call it, and what it is. */
const BY_CODE: Readonly<Record<string, KafkaRefusal>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate-untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate-untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate-untrusted',
  CERT_SIGNATURE_FAILURE: 'certificate-untrusted',
  CERT_UNTRUSTED: 'certificate-untrusted',
  CERT_REJECTED: 'certificate-untrusted',
  INVALID_CA: 'certificate-untrusted',
  INVALID_PURPOSE: 'certificate-untrusted',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'tls-unwanted',
};

/** What Kafka calls it, and what it is. */
const BY_TYPE: Readonly<Record<string, KafkaRefusal>> = {
  UNSUPPORTED_SASL_MECHANISM: 'mechanism',
  SASL_AUTHENTICATION_FAILED: 'credentials',
  ILLEGAL_SASL_STATE: 'sasl-unwanted',
  TOPIC_AUTHORIZATION_FAILED: 'not-allowed',
  CLUSTER_AUTHORIZATION_FAILED: 'not-allowed',
};

/** Alerts about the client's certificate: which one a broker sends depends on its Java and on the version of TLS. */
const CERTIFICATE_ALERT = /^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/;
const TLS_ALERT = /^ERR_SSL_/;

/**
 * Does what has to do with brokers. Where that fails, the connections end, and what is thrown says why as far as it
 * can be known; `work` closes them itself where it succeeds, or hands them on.
 * @throws KafkaRefusedError, or what `work` threw
 */
export async function withSockets<T>(
  connection: KafkaConnection,
  work: (sockets: Sockets) => Promise<T>,
): Promise<T> {
  const sockets = new Sockets(connection);
  try {
    // What is wrong with the settings themselves shows before any broker is asked.
    if (connection.tls !== undefined) tlsOptions(connection.tls);
    for (const broker of connection.brokers) refuseToTellPassword(connection, broker.split(':')[0] ?? '');
    return await work(sockets);
  } catch (failure) {
    const explained = await explainFailure(failure, connection, sockets);
    sockets.close();
    throw explained;
  }
}

/**
 * What is behind a failure that kafkajs reports: a {@link KafkaRefusedError} where that can be known, else the failure
 * itself. Where a connection was merely closed, the broker is asked which of the two languages its port speaks.
 */
async function explainFailure(
  failure: unknown,
  connection: KafkaConnection,
  sockets: Sockets,
): Promise<unknown> {
  if (failure instanceof KafkaRefusedError) return failure;
  if (sockets.refusal !== null) return sockets.refusal;
  const chain = causesOf(failure);
  const reason = reasonOf(chain, connection) ?? (await reasonOfPort(chain, connection));
  if (reason === null) return failure;
  return new KafkaRefusedError(reason, readable(chain[0]?.message ?? String(failure)), { cause: failure });
}

/** OpenSSL's message without the places in its source: `…:error:0A000412:SSL routines:ssl3_read_bytes:<this>:…`. */
function readable(message: string): string {
  return /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message.trim();
}

function reasonOf(chain: readonly Cause[], { tls }: KafkaConnection): KafkaRefusal | null {
  for (const { name, code, type, message } of chain) {
    const known = BY_CODE[code] ?? BY_TYPE[type];
    if (known !== undefined) return known;
    if (name === 'KafkaJSSASLAuthenticationError')
      return /not supported by the server/.test(message) ? 'mechanism' : 'credentials';
    if (CERTIFICATE_ALERT.test(code))
      return tls?.certFile === undefined ? 'client-certificate-missing' : 'client-certificate-refused';
    if (TLS_ALERT.test(code)) return 'tls-handshake';
  }
  return null;
}

/** A broker closes what it does not understand without a word. */
async function reasonOfPort(
  chain: readonly Cause[],
  { brokers, tls, sasl }: KafkaConnection,
): Promise<KafkaRefusal | null> {
  if (!chain.some(isClosed)) return null;
  const place = chain.find(({ broker }) => broker !== '')?.broker ?? brokers[0] ?? '';
  const [host = '', port = ''] = place.split(':');
  if (tls === undefined && (await speaksTls(host, Number(port)))) return 'tls-wanted';
  if (tls !== undefined && (await speaksKafka(host, Number(port), null))) return 'tls-unwanted';
  // It answers strangers, and then shuts the door on them.
  const options = tls === undefined ? null : tlsOptions(tls);
  return sasl === undefined && (await speaksKafka(host, Number(port), options)) ? 'sasl-wanted' : null;
}

type Cause = {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly type: string;
  readonly broker: string;
};

function isClosed({ name, code, message }: Cause): boolean {
  return (
    name === 'KafkaJSConnectionClosedError' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    /timed? ?out/i.test(message)
  );
}

/** An error and what it was caused by, outermost first. */
function causesOf(error: unknown): readonly Cause[] {
  const chain: Cause[] = [];
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = memberOf(at, 'cause')) {
    const text = (name: string): string => {
      const value = memberOf(at, name);
      return typeof value === 'string' ? value : '';
    };
    chain.push({
      name: text('name'),
      message: text('message'),
      code: text('code'),
      type: text('type'),
      broker: text('broker'),
    });
    if (chain.length > 10) break;
  }
  return chain;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined;
}
