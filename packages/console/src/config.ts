import { DEFAULT_CONFIG, parseDemoConfig, parseEnrolmentToken, type DemoConfig } from './core/demo-config.ts';

const KEY = 'tachograph-demo.config';
const FIRST_ANSWER_MS_MAX = 2_000;

/** The configuration of an earlier visit, else the server's, else the defaults: never later than two seconds. */
export async function startConfig(): Promise<DemoConfig> {
  const stored = parseDemoConfig(localStorage.getItem(KEY) ?? '');
  if (stored !== null) return stored;
  const answer = await ask('./api/config', { signal: AbortSignal.timeout(FIRST_ANSWER_MS_MAX) });
  const served = answer === null ? null : parseDemoConfig(answer);
  if (served !== null) localStorage.setItem(KEY, JSON.stringify(served));
  return served ?? DEFAULT_CONFIG;
}

/** A token that enrols this browser, used at once and never kept; `null` when the server cannot be reached. */
export async function fetchEnrolmentToken(): Promise<string | null> {
  const answer = await ask('./api/enrolment-token', { method: 'POST' });
  return answer === null ? null : parseEnrolmentToken(answer);
}

/** The text of the server's answer, or `null` where there is none. */
async function ask(path: string, init: RequestInit): Promise<string | null> {
  try {
    const answer = await fetch(path, { cache: 'no-store', ...init });
    return answer.ok ? await answer.text() : null;
  } catch (error) {
    // No connection, a cut one or no answer in time: asking again later is the caller's business.
    if (error instanceof TypeError || error instanceof DOMException) return null;
    throw error;
  }
}
