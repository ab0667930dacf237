import { sql } from 'kysely';
import type { Fault } from '@tachograph/wire';
import type { Registry } from './registry.ts';
import { REGISTRY_UNAVAILABLE } from './unavailable.ts';

/** Why the registry cannot serve, or `null`: asked of it, not believed. */
export async function registryFault({ db }: Registry): Promise<Fault | null> {
  try {
    await sql`select 1`.execute(db);
    return null;
  } catch {
    // Whatever the failure is, requests will meet it too, and log it; here only the answer counts.
    return REGISTRY_UNAVAILABLE;
  }
}
