const KEY = 'tachograph-demo.offline';

/** The page's own connection to the outside, which the reader can cut. */
export type NetworkSwitch = {
  readonly isOff: () => boolean;
  /** Remembered across reloads, and followed by the other tabs of this page. */
  readonly set: (off: boolean) => void;
  readonly onChange: (listener: () => void) => void;
  /** `fetch` past the switch: for what somebody does elsewhere, and not this page. */
  readonly outside: typeof fetch;
};

/** The parts of a `window` that the switch is built into. */
export type SwitchedPage = {
  fetch: typeof fetch;
  readonly localStorage: Pick<Storage, 'getItem' | 'setItem'>;
  addEventListener(type: 'storage', listener: (event: StorageEvent) => void): void;
};

/**
 * Puts a switch between this page and `fetch`. While it is off every request fails as one on a cut wire does, and
 * those under way are cut. The audit buffer is not told: it has to find out and cope, as it would outside.
 * Install it before anything keeps a reference to `fetch`.
 */
export function installNetworkSwitch(page: SwitchedPage): NetworkSwitch {
  const listeners: (() => void)[] = [];
  const fetchOutside = page.fetch.bind(page);
  let off = page.localStorage.getItem(KEY) === 'true';
  let wire = new AbortController();

  page.fetch = async (input, init) => {
    if (off) throw networkError();
    const signals = init?.signal ? [init.signal, wire.signal] : [wire.signal];
    return fetchOutside(input, { ...init, signal: AbortSignal.any(signals) });
  };

  const change = (next: boolean): void => {
    if (next === off) return;
    off = next;
    if (off) wire.abort(networkError());
    else wire = new AbortController();
    for (const listener of listeners) listener();
  };
  page.addEventListener('storage', (event) => {
    if (event.key === KEY) change(event.newValue === 'true');
  });
  return {
    isOff: () => off,
    set: (next) => {
      page.localStorage.setItem(KEY, String(next));
      change(next);
    },
    onChange: (listener) => listeners.push(listener),
    outside: fetchOutside,
  };
}

/** What `fetch` rejects with when no connection comes about. */
function networkError(): TypeError {
  return new TypeError('Failed to fetch');
}
