import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorCode } from './files/file-system.ts';

const BYTES_MAX = 64 * 1024;

/** Where a secret is, never the secret itself: so no configuration, plan or log line can show one. */
export const secretSource = z.union([
  z.strictObject({
    env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable'),
  }),
  z.strictObject({ file: z.string().min(1) }),
]);

export type SecretSource = z.infer<typeof secretSource>;

/** Reads a secret where its configuration says that it is. Asked at each use, so that a new one needs no restart. */
export type ReadSecret = (source: SecretSource) => Promise<string>;

/**
 * Reads from `env`, or the first line of a file.
 *
 * @throws Error naming the variable or the file, never what it holds
 */
export function secretReader(env: NodeJS.ProcessEnv): ReadSecret {
  return async (source) => {
    const [name, text] =
      'env' in source
        ? [`the variable ${source.env}`, env[source.env] ?? '']
        : [`the file ${source.file}`, await firstLine(source.file)];
    if (text === '') throw new Error(`${name} should hold a secret, and is empty or missing`);
    return text;
  };
}

async function firstLine(path: string): Promise<string> {
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`the file ${path} should hold a secret, and cannot be read: ${errorCode(error)}`, {
      cause: error,
    });
  }
  if (text.length > BYTES_MAX) throw new Error(`the file ${path} is too large to be a secret`);
  return text.split(/\r?\n/, 1)[0]!.trim();
}
