import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { KafkaRefusedError } from './refused-error.ts';

/** TLS to the brokers. The files are PEM, and are read again for every connection, so that they may be exchanged. */
export type KafkaTls = {
  /** Whom to trust instead of the authorities that come with Node. */
  readonly caFile?: string;
  /** The certificate that this client shows (mTLS), with its intermediates; only together with its key. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Holds what the key is encrypted with. */
  readonly keyPassphraseFile?: string;
  /** The name that every broker's certificate must have, instead of the address that the broker is reached by. */
  readonly serverName?: string;
};

export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** A user of the brokers. The password is asked for when it is sent, and stands nowhere where it could be printed. */
export type KafkaSasl = {
  readonly mechanism: SaslMechanism;
  readonly username: string;
  readonly password: { readonly reveal: () => string };
};

export type KafkaSecurity = {
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
  /** Sends a password of PLAIN also to another machine without TLS, where everyone on the way can read it. */
  readonly allowUnsafe?: boolean;
};

const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|::1)$/;

/** Whether `host` can only be this machine. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(host);
}

/** @throws KafkaRefusedError `password-in-clear` where a connection to `host` would let others read the password */
export function refuseToTellPassword({ tls, sasl, allowUnsafe }: KafkaSecurity, host: string): void {
  if (sasl?.mechanism !== 'plain' || tls !== undefined || allowUnsafe === true || isLoopbackHost(host))
    return;
  throw new KafkaRefusedError('password-in-clear', `${host} would be sent a password without TLS`);
}

/** The user as kafkajs takes it. It keeps this object and prints none of it. */
export function saslOptions({ mechanism, username, password }: KafkaSasl): SASLOptions {
  return {
    mechanism,
    username,
    get password() {
      return password.reveal();
    },
  };
}

/**
 * What Node needs for a connection by TLS, from the files as they are now.
 * @throws KafkaRefusedError `tls-files`, which names the file and never what is in it
 */
export function tlsOptions(tls: KafkaTls): ConnectionOptions {
  const { caFile, certFile, keyFile, keyPassphraseFile, serverName } = tls;
  // What was negotiated below is broken (RFC 8996).
  const options: ConnectionOptions = { minVersion: 'TLSv1.2' };
  // An authority that cannot be parsed would only be passed over.
  if (caFile !== undefined) options.ca = readPem(caFile, (pem) => new X509Certificate(pem));
  if (certFile !== undefined && keyFile !== undefined) {
    const cert = readPem(certFile, (pem) => new X509Certificate(pem));
    const lock =
      keyPassphraseFile === undefined ? {} : { passphrase: firstLine(readPem(keyPassphraseFile, String)) };
    const key = readPem(keyFile, (pem) => createPrivateKey({ key: pem, ...lock }));
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey({ key, ...lock })))
      throw new KafkaRefusedError('tls-files', `${keyFile} is not the key of the certificate in ${certFile}`);
    Object.assign(options, { cert, key, ...lock });
  }
  if (serverName !== undefined) options.servername = serverName;
  return options;
}

function readPem(file: string, parse: (pem: string) => unknown): string {
  try {
    const pem = readFileSync(file, 'utf8');
    parse(pem);
    return pem;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KafkaRefusedError('tls-files', `${file} cannot be used: ${why}`, { cause });
  }
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}
