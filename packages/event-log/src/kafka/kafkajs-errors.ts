/** Bugs, which trying again does not mend. */
const PROGRAMMING_ERRORS = new Set(['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError']);

/** Whether kafkajs, or the broker through it, says that the same request may succeed later. */
export function isRetriable(error: unknown): boolean {
  if (!(error instanceof Error) || PROGRAMMING_ERRORS.has(error.name)) return false;
  return !('retriable' in error) || error.retriable === true;
}

/** The broker whose connection ended, where that is what the error says. */
export function closedConnection(error: unknown): { host: string; port: number } | null {
  if (typeof error !== 'object' || error === null || !('host' in error) || !('port' in error)) return null;
  return { host: String(error.host), port: Number(error.port) };
}

/** An offset, which kafkajs answers as text. */
export function offsetOf(text: string | undefined): number {
  const offset = Number(text ?? Number.NaN);
  if (!Number.isSafeInteger(offset)) throw new Error(`the broker answered no offset: ${text ?? 'none'}`);
  return offset;
}
