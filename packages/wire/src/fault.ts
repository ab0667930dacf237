import type { ErrorCode } from './errors.ts';

/** An expected failure: a row of the error table, with what was wrong in this case. */
export type Fault = {
  readonly code: ErrorCode;
  readonly detail: string;
  /** The field that was wrong, as the sender wrote it. */
  readonly field?: string;
  /** The limit that was passed. */
  readonly limit?: number;
};

/** What a parser answers: the value, or why there is none. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

/** Carries a fault from deep inside a parser to its edge. It never leaves this package. */
class Refusal extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.detail);
    this.fault = fault;
  }
}

/** Ends the surrounding {@link parsing} with a fault. */
export function refuse(
  code: ErrorCode,
  detail: string,
  more: { field?: string; limit?: number } = {},
): never {
  throw new Refusal({ code, detail, ...more });
}

/** Runs a parser written as straight code and turns its refusal into a value. */
export function parsing<T>(parse: () => T): Parsed<T> {
  try {
    return { ok: true, value: parse() };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, fault: error.fault };
    throw error;
  }
}

/** The value of a nested parse; its fault becomes the surrounding parse's. */
export function need<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Refusal(parsed.fault);
  return parsed.value;
}

/** For the `default` of a `switch` that must name every case. */
export function assertNever(value: never): never {
  throw new Error(`unexpected case: ${JSON.stringify(value)}`);
}
