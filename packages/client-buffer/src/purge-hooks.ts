import type { Timers } from './adapters.ts';
import { plain } from './core/purge-leaves.ts';
import type { CacheHooks, CacheScope } from './offline-types.ts';

/** How long one call of a hook may take. */
const HOOK_MS = 30_000;

type Call<T> = { readonly value: T } | { readonly failure: string };

/** Calls the app's hooks for one scope, and answers what they counted or why the scope is not empty. */
export async function emptyScope(
  hooks: CacheHooks,
  scope: string,
  { timers, stopped }: { timers: Timers; stopped: AbortSignal },
): Promise<Call<unknown>> {
  const call = <T>(hook: (request: CacheScope & { signal: AbortSignal }) => Promise<T>): Promise<Call<T>> =>
    inTime(timers, stopped, (signal) => hook({ scope, signal }));
  const purged = await call((request) => hooks.purge(request));
  if ('failure' in purged) return purged;
  const empty: Call<unknown> = await call((request) => hooks.isEmpty(request));
  if ('failure' in empty) return empty;
  // Nothing but `true`: an app that forgets to answer has not looked.
  return empty.value === true ? purged : { failure: 'not-empty' };
}

/** A hook that hangs, or that a page which closes waits for, is over at its time; it may still do what it was asked. */
async function inTime<T>(
  timers: Timers,
  stopped: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<Call<T>> {
  const controller = new AbortController();
  let end: (failure: string) => void = () => undefined;
  const ended = new Promise<Call<T>>((resolve) => {
    end = (failure) => resolve({ failure });
  });
  const onStop = (): void => end('stopped');
  const cancel = timers.setTimeout(() => end('timed-out'), HOOK_MS);
  stopped.addEventListener('abort', onStop);
  if (stopped.aborted) onStop();
  try {
    return await Promise.race([ended, attempt(run, controller.signal)]);
  } finally {
    cancel();
    stopped.removeEventListener('abort', onStop);
    controller.abort();
  }
}

async function attempt<T>(run: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<Call<T>> {
  try {
    return { value: await run(signal) };
  } catch (error) {
    return { failure: plain(`hook-failed: ${error instanceof Error ? error.message : String(error)}`) };
  }
}
