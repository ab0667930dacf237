import { DEFAULT_CONFIG, parseServedConfig, type ServedConfig } from './core/demo-config.ts';

const KEY = 'tachograph-demo.config';
const FIRST_ANSWER_MS_MAX = 2_000;

/** The configuration of an earlier visit, else the server's, else the defaults: never later than two seconds. */
export async function startConfig(): Promise<ServedConfig> {
  const stored = parseServedConfig(localStorage.getItem(KEY) ?? '');
  if (stored !== null) return stored;
  const served = await fetchConfig(AbortSignal.timeout(FIRST_ANSWER_MS_MAX));
  return served ?? { config: DEFAULT_CONFIG, enrolmentToken: null };
}

/** What the server says now, or `null` when it cannot be reached. It is kept for the next start. */
export async function fetchConfig(signal?: AbortSignal): Promise<ServedConfig | null> {
  try {
    const answer = await fetch('./api/config', { cache: 'no-store', signal: signal ?? null });
    if (!answer.ok) return null;
    const served = parseServedConfig(await answer.text());
    // The token is used at once and never kept.
    if (served !== null) localStorage.setItem(KEY, JSON.stringify(served.config));
    return served;
  } catch (error) {
    // No connection, a cut one or no answer in time: asking again later is the caller's business.
    if (error instanceof TypeError || error instanceof DOMException) return null;
    throw error;
  }
}
