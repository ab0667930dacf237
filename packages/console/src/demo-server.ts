import { parseEnrolmentToken } from './core/demo-config.ts';
import { parseVaults, type Vault } from './core/vault.ts';

/** A token that enrols this browser, used at once and never kept; `null` when the server cannot be reached. */
export async function fetchEnrolmentToken(): Promise<string | null> {
  const answer = await ask(fetch, './api/enrolment-token', { method: 'POST' });
  return answer === null ? null : parseEnrolmentToken(answer);
}

/** What the vault holds for this device; `null` when the server cannot be reached or refuses it. */
export async function fetchVaults(device: string): Promise<readonly Vault[] | null> {
  const answer = await ask(fetch, './api/vault', posted({ device }));
  return answer === null ? null : parseVaults(parsed(answer));
}

/**
 * What an administrator does by the control API, somewhere else: hence by a way to the server of its own, which the
 * page's switch does not cut. Answers when the device was revoked, or `null` where it could not be.
 */
export async function revokeDevice(outside: typeof fetch, device: string): Promise<string | null> {
  const answer = await ask(outside, './api/revoke', posted({ device }));
  const value = answer === null ? null : parsed(answer);
  if (typeof value !== 'object' || value === null || !('revokedAt' in value)) return null;
  return typeof value.revokedAt === 'string' ? value.revokedAt : null;
}

function posted(body: object): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** The text of the server's answer, or `null` where there is none. */
export async function ask(by: typeof fetch, path: string, init: RequestInit): Promise<string | null> {
  try {
    const answer = await by(path, { cache: 'no-store', ...init });
    return answer.ok ? await answer.text() : null;
  } catch (error) {
    // No connection, a cut one or no answer in time: asking again later is the caller's business.
    if (error instanceof TypeError || error instanceof DOMException) return null;
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is not JSON is no answer of this server's: its caller finds nothing in it.
    return null;
  }
}
