import type { ErrorCode } from '@tachograph/wire';

/**
 * The one error class of this library. `code` is a row of the error table (docs/ERRORS.md) and is what programs
 * test; `message` is for people.
 */
export class AuditBufferError extends Error {
  override readonly name = 'AuditBufferError';
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, options?: { cause?: unknown }) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}
