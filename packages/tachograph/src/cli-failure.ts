/** Something that a person can mend: printed as it is, without a stack, and the command ends with code 1. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  /** What to do about it, one line each. */
  readonly mend: readonly string[];

  constructor(message: string, mend: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.mend = mend;
  }
}

/** The text of a failure as it is printed. */
export function formatFailure(failure: CliFailure): string {
  return [`✗ ${failure.message}`, ...failure.mend.map((line) => `  → ${line}`), ''].join('\n');
}
