import { KafkaRefusedError, type KafkaRefusal } from '@tachograph/event-log';
import { CliFailure } from '../cli-failure.ts';
import { errorMessage } from '../error-code.ts';

type Words = { readonly what: string; readonly mend: readonly string[] };

const WORDS: Readonly<Record<KafkaRefusal, Words>> = {
  'tls-files': {
    what: 'a file of its TLS settings cannot be used',
    mend: [
      'The file must be PEM, and key, certificate and passphrase must belong together.',
      'They are named by KAFKA_TLS_CA_FILE, KAFKA_TLS_CERT_FILE, KAFKA_TLS_KEY_FILE and KAFKA_TLS_KEY_PASSPHRASE_FILE.',
    ],
  },
  'certificate-untrusted': {
    what: "the broker's certificate is of no authority that is trusted here",
    mend: ['Name the certificate of the authority that the brokers have theirs from with KAFKA_TLS_CA_FILE.'],
  },
  'certificate-expired': {
    what: "the broker's certificate has expired, or does not hold yet",
    mend: ["Renew the broker's certificate. If it is good, set the clock of this machine."],
  },
  'certificate-name': {
    what: "the broker's certificate is for another name than the one it was reached by",
    mend: [
      'Name the brokers with KAFKA_BROKERS as their certificates do; advertised.listeners of the brokers likewise.',
      'Where all certificates have one name that is no address, name it with KAFKA_TLS_SERVER_NAME.',
    ],
  },
  'client-certificate-missing': {
    what: 'the broker asks for a certificate of this client, and was shown none',
    mend: ['Name one that the brokers trust with KAFKA_TLS_CERT_FILE, and its key with KAFKA_TLS_KEY_FILE.'],
  },
  'client-certificate-refused': {
    what: 'the broker does not take the certificate that it was shown',
    mend: [
      'It must be of an authority in the truststore of the brokers and not have expired: KAFKA_TLS_CERT_FILE.',
      'An intermediate certificate belongs into the same file, after it.',
    ],
  },
  'tls-handshake': {
    what: 'the TLS handshake failed',
    mend: ['The brokers must offer TLS 1.2 or 1.3 and a cipher that OpenSSL offers: ssl.enabled.protocols.'],
  },
  'tls-wanted': {
    what: 'this port of the broker speaks TLS, and was spoken to without',
    mend: ['Set KAFKA_TLS=on, or name a port without TLS with KAFKA_BROKERS.'],
  },
  'tls-unwanted': {
    what: 'this port of the broker does not speak TLS',
    mend: [
      'Name the port of a listener with TLS with KAFKA_BROKERS; only inside one machine, set KAFKA_TLS=off.',
    ],
  },
  credentials: {
    what: 'the broker does not know this user with this password',
    mend: [
      'Check KAFKA_SASL_USERNAME, and KAFKA_SASL_PASSWORD or the file that KAFKA_SASL_PASSWORD_FILE names.',
      'A user of SCRAM has a password for each mechanism: check KAFKA_SASL_MECHANISM.',
    ],
  },
  mechanism: {
    what: 'the broker does not offer this mechanism',
    mend: ['Name one of its sasl.enabled.mechanisms with KAFKA_SASL_MECHANISM.'],
  },
  'sasl-wanted': {
    what: 'this port of the broker wants a user, and was given none',
    mend: ['Name it with KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE.'],
  },
  'sasl-unwanted': {
    what: 'this port of the broker takes no users',
    mend: ['Name the port of a listener with SASL with KAFKA_BROKERS, or unset KAFKA_SASL_MECHANISM.'],
  },
  'password-in-clear': {
    what: 'the password would go unencrypted to another machine',
    mend: ['Set KAFKA_TLS=on and name ports with TLS, or use scram-sha-512 as KAFKA_SASL_MECHANISM.'],
  },
  'not-allowed': {
    what: 'this user may not do that',
    mend: ['Give it the rights that docs/OPERATIONS.md lists, by kafka-acls.'],
  },
};

/** A failure of the brokers in words, with what mends it. `begin` says what could not be done; `mend` is for the rest. */
export function kafkaFailure(begin: string, error: unknown, mend: readonly string[]): CliFailure {
  if (!(error instanceof KafkaRefusedError))
    return new CliFailure(`${begin}: ${errorMessage(error)}`, mend, { cause: error });
  const words = WORDS[error.reason];
  return new CliFailure(`${begin}: ${words.what} (${error.message}).`, words.mend, { cause: error });
}
