import { createHmac, timingSafeEqual } from 'node:crypto';
import { concatBytes, fromBase64Url, toBase64Url, utf8, type Bytes } from '@tachograph/wire';

const CHALLENGE_TTL_MS = 60 * 60 * 1000;

const TIME_BYTES = 8;
export const CHALLENGE_NONCE_BYTES = 16;
const HMAC_BYTES = 32;

/** What a challenge is bound to: nobody can use one of another tenant or deployment. */
export type ChallengeScope = { readonly authority: string; readonly tenant: string };

/**
 * A challenge that nothing needs to remember: base64url of its expiry (milliseconds, u64 big-endian), a nonce, and
 * HMAC-SHA256 over both and the scope.
 */
export function makeChallenge(
  secret: string,
  scope: ChallengeScope,
  now: number,
  nonce: Bytes,
): { readonly challenge: string; readonly expires: number } {
  const expires = now + CHALLENGE_TTL_MS;
  const time = new Uint8Array(TIME_BYTES);
  new DataView(time.buffer).setBigUint64(0, BigInt(expires));
  const claim = concatBytes(time, nonce);
  return { challenge: toBase64Url(concatBytes(claim, seal(secret, scope, claim))), expires };
}

/** Whether `challenge` was made with `secret` for `scope` and has not expired. */
export function isChallengeValid(
  secret: string,
  scope: ChallengeScope,
  now: number,
  challenge: string,
): boolean {
  const bytes = fromBase64Url(challenge);
  if (bytes?.length !== TIME_BYTES + CHALLENGE_NONCE_BYTES + HMAC_BYTES) return false;
  const claim = bytes.slice(0, TIME_BYTES + CHALLENGE_NONCE_BYTES);
  if (!timingSafeEqual(bytes.slice(claim.length), seal(secret, scope, claim))) return false;
  return Number(new DataView(claim.buffer).getBigUint64(0)) > now;
}

function seal(secret: string, { authority, tenant }: ChallengeScope, claim: Bytes): Bytes {
  // Neither name holds a newline, so no two scopes are sealed alike.
  const message = concatBytes(utf8(`tachograph challenge/v1\n${authority}\n${tenant}\n`), claim);
  return new Uint8Array(createHmac('sha256', Buffer.from(secret, 'base64')).update(message).digest());
}
