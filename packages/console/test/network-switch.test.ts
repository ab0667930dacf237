import { describe, expect, it } from '@jest/globals';
import { installNetworkSwitch, type SwitchedPage } from '../src/network-switch.ts';

/** A page whose requests stay open until they are answered or cut. */
function openPage(stored = new Map<string, string>()) {
  const sent: string[] = [];
  let tellOtherTab: (event: StorageEvent) => void = () => undefined;
  const page: SwitchedPage = {
    fetch: (input, init) => {
      if (typeof input === 'string') sent.push(input);
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
      });
    },
    localStorage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
    },
    addEventListener: (_type, listener) => {
      tellOtherTab = listener;
    },
  };
  const network = installNetworkSwitch(page);
  return {
    page,
    network,
    sent,
    stored,
    storageEvent: (event: object) => tellOtherTab(event as StorageEvent),
  };
}

describe('the switch between the page and the network', () => {
  it('lets nothing out while it is off, and fails as a cut wire does', async () => {
    const { page, network, sent } = openPage();
    network.set(true);
    await expect(page.fetch('/v1/keys')).rejects.toBeInstanceOf(TypeError);
    expect(sent).toEqual([]);
  });

  it('has a way past it for what is done elsewhere', () => {
    const { network, sent } = openPage();
    network.set(true);
    void network.outside('/demo/api/revoke');
    expect(sent).toEqual(['/demo/api/revoke']);
  });

  it('cuts what is under way', async () => {
    const { page, network, sent } = openPage();
    const request = page.fetch('/v1/logs/demo/device');
    network.set(true);
    await expect(request).rejects.toBeInstanceOf(TypeError);
    expect(sent).toEqual(['/v1/logs/demo/device']);
  });

  it('keeps the caller’s own signal working', async () => {
    const { page } = openPage();
    const abort = new AbortController();
    const request = page.fetch('/v1/keys', { signal: abort.signal });
    abort.abort(new RangeError('enough'));
    await expect(request).rejects.toBeInstanceOf(RangeError);
  });

  it('lets requests out again once it is on', async () => {
    const { page, network, sent } = openPage();
    network.set(true);
    network.set(false);
    const abort = new AbortController();
    const request = page.fetch('/v1/keys', { signal: abort.signal });
    expect(sent).toEqual(['/v1/keys']);
    abort.abort(new RangeError('enough'));
    await expect(request).rejects.toBeInstanceOf(RangeError);
  });

  it('stays off over a reload', async () => {
    const first = openPage();
    first.network.set(true);
    const reloaded = openPage(first.stored);
    expect(reloaded.network.isOff()).toBe(true);
    await expect(reloaded.page.fetch('/v1/keys')).rejects.toBeInstanceOf(TypeError);
  });

  it('follows the switch of another tab, and says so once', () => {
    const { network, storageEvent } = openPage();
    const changes: boolean[] = [];
    network.onChange(() => changes.push(network.isOff()));
    storageEvent({ key: 'somebody.else', newValue: 'true' });
    storageEvent({ key: 'tachograph-demo.offline', newValue: 'true' });
    network.set(true);
    expect(changes).toEqual([true]);
  });
});
