import { createHash, randomBytes } from 'node:crypto';
import type { Bytes } from '@tachograph/wire';
import { Secret } from '../secret.ts';

/** The start of a token says what it is, so that scanners of leaked secrets can. */
const TOKEN_PREFIX = { admin: 'tacho_admin_', enrolment: 'tacho_enrol_' } as const;

/** A new token of 256 random bits. */
export function newToken(kind: keyof typeof TOKEN_PREFIX): Secret {
  return new Secret(`${TOKEN_PREFIX[kind]}${randomBytes(32).toString('base64url')}`);
}

/** What is kept of a token: with 256 random bits in it, a plain SHA-256 cannot be searched. */
export function hashOfToken(token: string): Bytes {
  return new Uint8Array(createHash('sha256').update(token, 'utf8').digest());
}
