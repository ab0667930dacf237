import type { Io } from '../../src/io.ts';

export type FakeIo = Io & { readonly printed: () => string; readonly complained: () => string };

/** An `Io` that keeps what is printed. Without `answer` there is no network. */
export function fakeIo(env: NodeJS.ProcessEnv = {}, answer?: (request: Request) => Response): FakeIo {
  let printed = '';
  let complained = '';
  return {
    env,
    out: (text) => (printed += text),
    err: (text) => (complained += text),
    fetch: async (input, init) => {
      if (answer === undefined) throw new TypeError('fetch failed');
      return answer(new Request(input, init));
    },
    sleep: async () => undefined,
    printed: () => printed,
    complained: () => complained,
  };
}
