import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PageSignals } from '../src/adapters.ts';
import { browserAdapters } from '../src/browser.ts';

class FakeDocument extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible';
  become(state: DocumentVisibilityState): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

describe('the page', () => {
  const fake = new FakeDocument();
  let page: PageSignals;

  beforeEach(() => {
    Object.assign(globalThis, { document: fake });
    const adapters = browserAdapters('tachograph:test', 'https://audit.example.com');
    adapters.tabs.close();
    page = adapters.page;
  });
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'document');
  });

  it('tells when it is hidden and when it is back, as after sleep, until nobody listens', () => {
    const heard: string[] = [];
    const ends = [page.onHide(() => heard.push('hidden')), page.onReturn(() => heard.push('back'))];
    fake.become('hidden');
    fake.become('visible');
    expect(heard).toEqual(['hidden', 'back']);
    for (const end of ends) end();
    fake.become('hidden');
    expect(heard).toHaveLength(2);
  });

  it('counts as online where nothing says otherwise', () => {
    expect(page.online()).toBe(true);
  });
});
