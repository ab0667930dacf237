/** A partition that nobody leads at the moment. */
export class NoLeaderError extends Error {
  constructor(topic: string, partition: number) {
    super(`partition ${partition} of ${topic} has no leader`);
    this.name = 'NoLeaderError';
  }
}

export type Trouble =
  /** The same request would fail again. */
  | 'final'
  /** The broker says that it may succeed later, perhaps elsewhere. */
  | 'moved'
  /** The connection ended, or nothing comes by it any more. */
  | 'lost';

/** What is to be done about a request that failed. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof NoLeaderError) return 'moved';
  if (!(error instanceof Error) || !('retriable' in error)) return 'final';
  const type = errorType(error);
  // Nothing can be sent by such a connection any more.
  if (type === 'ILLEGAL_SASL_STATE') return 'lost';
  if (error.retriable !== true) return 'final';
  return type === null ? 'lost' : 'moved';
}

/** Kafka's name of a protocol error, which kafkajs may have wrapped. */
export function errorType(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  if ('type' in error && typeof error.type === 'string') return error.type;
  return 'cause' in error ? errorType(error.cause) : null;
}

/** An offset, which kafkajs answers as text. */
export function offsetOf(text: string | undefined): number {
  const offset = Number(text ?? Number.NaN);
  if (!Number.isSafeInteger(offset)) throw new Error(`the broker answered no offset: ${text ?? 'none'}`);
  return offset;
}
