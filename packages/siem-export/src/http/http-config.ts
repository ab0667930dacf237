import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** An address without a user and password: these belong to the secrets. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'an address that begins with http:// or https://' })
  .refine((text) => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === ''), {
    error: 'no user and password in the address: name them as secrets',
  });

/** What a destination with TLS may need beside its address: files in PEM. */
export const tlsConfig = z.strictObject({
  /** The authorities that the destination's certificate may be from. Unset, those of Node. */
  caFile: z.string().min(1).optional(),
  /** The certificate that is shown to the destination (mTLS), and its key. */
  certFile: z.string().min(1).optional(),
  keyFile: z.string().min(1).optional(),
  /** The name that the destination's certificate must have. Unset, the one that it is reached by. */
  serverName: z.string().min(1).optional(),
});

export type TlsConfig = z.infer<typeof tlsConfig>;

/** The options that Node's `tls.connect` takes for it. @throws Error where a file cannot be read */
export async function tlsOptions({ caFile, certFile, keyFile, serverName }: TlsConfig): Promise<{
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
}> {
  return {
    ...(caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }),
    ...(certFile === undefined ? {} : { cert: await readFile(certFile, 'utf8') }),
    ...(keyFile === undefined ? {} : { key: await readFile(keyFile, 'utf8') }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
