import type { Fault } from '@tachograph/wire';

/** The registry cannot serve now: busy beyond its patience, no room, broken. Later it may. Not a bug of a query. */
export class RegistryUnavailableError extends Error {
  constructor(cause: unknown) {
    super('the registry cannot serve', { cause });
    this.name = 'RegistryUnavailableError';
  }
}

export const REGISTRY_UNAVAILABLE: Fault = {
  code: 'ERR_REGISTRY_UNAVAILABLE',
  detail: 'the registry cannot be reached',
};
