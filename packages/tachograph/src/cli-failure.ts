/** Something that a person can mend: printed as it is, without a stack. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  /** What to do about it, one line each. */
  readonly mend: readonly string[];

  /** What the command ends with. */
  readonly exitCode: number;

  constructor(
    message: string,
    mend: readonly string[] = [],
    { exitCode = 1, ...options }: ErrorOptions & { readonly exitCode?: number } = {},
  ) {
    super(message, options);
    this.mend = mend;
    this.exitCode = exitCode;
  }
}

/** The text of a failure as it is printed. */
export function formatFailure(failure: CliFailure): string {
  return [`✗ ${failure.message}`, ...failure.mend.map((line) => `  → ${line}`), ''].join('\n');
}
