import { z } from 'zod';
import { secretSource, type ReadSecret } from '../../secret.ts';

/** Who a route is to OpenSearch. */
export const credentials = z.union([
  z.strictObject({ username: z.string().min(1), password: secretSource }),
  z.strictObject({ apiKey: secretSource }),
  z.strictObject({ bearer: secretSource }),
]);

/** The header that shows it. @throws Error where the secret cannot be read */
export async function headersOf(
  auth: z.infer<typeof credentials> | undefined,
  readSecret: ReadSecret,
): Promise<Record<string, string>> {
  if (auth === undefined) return {};
  if ('username' in auth) {
    const pair = `${auth.username}:${await readSecret(auth.password)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }
  if ('apiKey' in auth) return { authorization: `ApiKey ${await readSecret(auth.apiKey)}` };
  return { authorization: `Bearer ${await readSecret(auth.bearer)}` };
}
