import { setTimeout } from 'node:timers/promises';

/** What a command may touch of the process around it; tests hand in their own. */
export type Io = {
  readonly env: NodeJS.ProcessEnv;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly fetch: typeof fetch;
  readonly sleep: (milliseconds: number) => Promise<void>;
};

export function processIo(): Io {
  return {
    env: process.env,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    fetch: globalThis.fetch,
    sleep: (milliseconds) => setTimeout(milliseconds),
  };
}

/** Control, format and bidirectional characters: a device's name must not drive the terminal that shows it. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** `text` with every character that a terminal would act on written as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
