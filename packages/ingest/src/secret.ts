import { createHash, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/** A value that must not be shown. Every way to turn it into text gives `[redacted]`; only `reveal` gives it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** Compares digests, so that the time it takes says nothing about the value. */
  equals(other: string): boolean {
    return timingSafeEqual(digestOf(this.#value), digestOf(other));
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

function digestOf(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
