import type { Fault } from '@tachograph/wire';
import { isWithin, type Network } from './network.ts';

/** What the registry knows of an enrolment token. */
export type TokenState = {
  readonly usesLeft: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Where it may be used; `null` is everywhere. */
  readonly networks: readonly Network[] | null;
};

/**
 * Why a token may not be used at `now` from `address`, or `null`.
 * @returns ERR_TOKEN_EXPIRED, ERR_TOKEN_USED, ERR_TOKEN_NETWORK
 */
export function tokenFault(token: TokenState, now: number, address: string): Fault | null {
  if (token.expiresAt <= now) return { code: 'ERR_TOKEN_EXPIRED', detail: 'the enrolment token has expired' };
  if (token.usesLeft <= 0) return { code: 'ERR_TOKEN_USED', detail: 'the enrolment token has no uses left' };
  if (token.networks !== null && !isWithin(address, token.networks)) {
    return { code: 'ERR_TOKEN_NETWORK', detail: 'the enrolment token may not be used from this network' };
  }
  return null;
}
