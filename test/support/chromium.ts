import { existsSync } from 'node:fs';
import { launch, type Browser } from 'puppeteer-core';

const CANDIDATES = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome'];

/** Real Chromium, headless, with a profile of its own. Nothing in it reaches beyond loopback. */
export async function launchChromium(options: { profile?: string } = {}): Promise<Browser> {
  const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) {
    throw new Error('Chromium is missing: apt-get install chromium, or set CHROMIUM_PATH');
  }
  return launch({
    executablePath,
    ...(options.profile === undefined ? {} : { userDataDir: options.profile }),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
