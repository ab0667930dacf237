import type { Page } from 'puppeteer-core';

/** Resolves when `page` next emits `event`. */
export function once(page: Page, event: 'error' | 'close'): Promise<void> {
  return new Promise((resolve) => {
    page.once(event, () => resolve());
  });
}
