/** Why brokers and this client do not come together, as far as it can be known from here. */
export type KafkaRefusal =
  /** A file of the TLS settings cannot be read, is no PEM, or does not go with another one. */
  | 'tls-files'
  /** The broker's certificate is of no authority that is trusted here. */
  | 'certificate-untrusted'
  /** The broker's certificate has expired, or does not hold yet. */
  | 'certificate-expired'
  /** The broker's certificate is for other names than the one it was reached by. */
  | 'certificate-name'
  /** The broker asks for a certificate of the client, and was shown none. */
  | 'client-certificate-missing'
  /** The broker does not take the certificate that it was shown. */
  | 'client-certificate-refused'
  /** Both speak TLS, but no common version or cipher. */
  | 'tls-handshake'
  /** The port speaks TLS, and the client did not. */
  | 'tls-wanted'
  /** The port speaks no TLS, and the client did. */
  | 'tls-unwanted'
  /** User or password are wrong. */
  | 'credentials'
  /** The broker does not offer the mechanism. */
  | 'mechanism'
  /** The broker wants a user, and was given none. */
  | 'sasl-wanted'
  /** The port takes no users. */
  | 'sasl-unwanted'
  /** The password would have gone unencrypted to another machine. */
  | 'password-in-clear'
  /** The user is known, and may not do this. */
  | 'not-allowed';

/** The brokers cannot be used as this client is set, and trying again does not help. The message holds no secret. */
export class KafkaRefusedError extends Error {
  readonly reason: KafkaRefusal;

  constructor(reason: KafkaRefusal, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KafkaRefusedError';
    this.reason = reason;
  }
}
