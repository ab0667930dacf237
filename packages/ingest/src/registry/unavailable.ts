import type { Fault } from '@tachograph/wire';

/** The registry cannot serve now: busy beyond its patience, no room, broken. Later it may. Not a bug of a query. */
export class RegistryUnavailableError extends Error {
  constructor(cause: unknown) {
    super(`the registry cannot serve: ${reasonOf(cause)}`, { cause });
    this.name = 'RegistryUnavailableError';
  }
}

/** Not "instanceof Error": a driver's errors may come from another realm, and some have a code and no message. */
function reasonOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return String(cause);
  const { message, code } = cause as { readonly message?: unknown; readonly code?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  return typeof code === 'string' ? code : 'no reason was given';
}

export const REGISTRY_UNAVAILABLE: Fault = {
  code: 'ERR_REGISTRY_UNAVAILABLE',
  detail: 'the registry cannot be reached',
};
