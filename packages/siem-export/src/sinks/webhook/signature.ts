import { createHash, createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/**
 * The headers of Standard Webhooks 1.0: the id stays the same however often it is sent, the signature covers id, time and
 * body. Several secrets sign side by side while one takes the place of another.
 *
 * @throws Error where a secret is none: `whsec_` and base64 of 24 to 64 bytes
 */
export function signedHeaders(
  id: string,
  timestampSeconds: number,
  body: Uint8Array,
  secrets: readonly string[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestampSeconds}.`).update(body);
    return `v1,${hmac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  };
}

/** The id of a message: that of its one event, or one that follows from those of all its events. */
export function messageId(ids: readonly string[]): string {
  const [first] = ids;
  if (ids.length === 1 && first !== undefined) return first;
  return `batch_${createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 32)}`;
}

function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '', 'base64');
  if (key.length < 24 || key.length > 64) {
    throw new Error('a secret of the webhook should be whsec_ and base64 of 24 to 64 bytes');
  }
  return key;
}
