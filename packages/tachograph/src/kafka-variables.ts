import type { Variable } from './settings.ts';

/** How Kafka is named and reached, in the order of help. */
export const KAFKA_VARIABLES: readonly Variable[] = [
  {
    name: 'KAFKA_BROKERS',
    fallback: '',
    meaning:
      'Apache Kafka as the ordered log: host:port of its brokers, comma-separated. Unset, the log is embedded.',
  },
  { name: 'KAFKA_TOPIC', fallback: 'audit.events', meaning: 'The topic that is the ordered log.' },
  {
    name: 'KAFKA_ALLOW_UNSAFE',
    fallback: 'off',
    meaning:
      'on starts also where the settings of the topic may lose events, such as a single replica, and sends a password of PLAIN without TLS.',
  },
  {
    name: 'KAFKA_TLS',
    fallback: 'off',
    meaning: 'on encrypts the connections to the brokers and checks who they are.',
  },
  {
    name: 'KAFKA_TLS_CA_FILE',
    fallback: '',
    meaning: "PEM file of the authorities that the brokers' certificates are from. Unset, those of Node.",
  },
  {
    name: 'KAFKA_TLS_CERT_FILE',
    fallback: '',
    meaning: 'PEM file of the certificate that this client shows to the brokers (mTLS).',
  },
  { name: 'KAFKA_TLS_KEY_FILE', fallback: '', meaning: 'PEM file of the private key of that certificate.' },
  {
    name: 'KAFKA_TLS_KEY_PASSPHRASE_FILE',
    fallback: '',
    meaning: 'File whose first line decrypts that key.',
  },
  {
    name: 'KAFKA_TLS_SERVER_NAME',
    fallback: '',
    meaning: "Name that the brokers' certificates must have. Unset, each has the one that it is reached by.",
  },
  {
    name: 'KAFKA_SASL_MECHANISM',
    fallback: '',
    meaning: 'How a user proves itself to the brokers: plain, scram-sha-256 or scram-sha-512.',
  },
  { name: 'KAFKA_SASL_USERNAME', fallback: '', meaning: 'The user.' },
  { name: 'KAFKA_SASL_PASSWORD', fallback: '', meaning: 'Its password.' },
  {
    name: 'KAFKA_SASL_PASSWORD_FILE',
    fallback: '',
    meaning: 'File whose first line is the password, instead of KAFKA_SASL_PASSWORD.',
  },
];
