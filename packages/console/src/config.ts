import { DEFAULT_CONFIG, parseDemoConfig, type DemoConfig } from './core/demo-config.ts';
import { ask } from './demo-server.ts';

const KEY = 'tachograph-demo.config';
const FIRST_ANSWER_MS_MAX = 2_000;

/** The configuration of an earlier visit, else the server's, else the defaults: never later than two seconds. */
export async function startConfig(): Promise<DemoConfig> {
  const stored = parseDemoConfig(localStorage.getItem(KEY) ?? '');
  if (stored !== null) return stored;
  const answer = await ask(fetch, './api/config', { signal: AbortSignal.timeout(FIRST_ANSWER_MS_MAX) });
  const served = answer === null ? null : parseDemoConfig(answer);
  if (served !== null) localStorage.setItem(KEY, JSON.stringify(served));
  return served ?? DEFAULT_CONFIG;
}
