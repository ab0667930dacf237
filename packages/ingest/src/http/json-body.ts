import type { IncomingMessage } from 'node:http';
import { LIMITS, type Fault } from '@tachograph/wire';
import { NO_ROOM, type BodyClaim } from './body-budget.ts';

/** Two notes at their largest, as JSON escapes them, and the rest of a request around them. */
const JSON_BODY_BYTES_MAX = 4 * LIMITS.noteBytesMax;

const TOO_LARGE: Fault = {
  code: 'ERR_BODY_TOO_LARGE',
  detail: 'the body is too large',
  limit: JSON_BODY_BYTES_MAX,
};

/** A body that was not read to its end, as a body parser must say it. */
export class RefusedBody extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.detail);
    this.name = 'RefusedBody';
    this.fault = fault;
  }
}

/**
 * Reads the text of a JSON body.
 * @throws RefusedBody ERR_BODY_TOO_LARGE, ERR_OVERLOADED; and where the connection ends before the body does
 */
export async function readJsonText(source: IncomingMessage, claim: BodyClaim): Promise<string> {
  // Before any of it is read: Node drops a body that nobody has begun, so that its sender gets to read the answer.
  if (Number(source.headers['content-length'] ?? 0) > JSON_BODY_BYTES_MAX) throw new RefusedBody(TOO_LARGE);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > JSON_BODY_BYTES_MAX) throw new RefusedBody(TOO_LARGE);
    if (!claim.take(chunk.length)) throw new RefusedBody(NO_ROOM);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
