import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fail, progress, run } from './run.mjs';

/** What the tests need beside Node: where it may be, and the Debian package that brings it. */
const CHROMIUM = {
  variable: 'CHROMIUM_PATH',
  commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  places: [
    '/usr/bin/chromium',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  debian: 'chromium',
};

/** The browser that the tests drive, or `null`. A path that the user names must be right: nothing else is tried. */
export function findChromium() {
  const named = process.env[CHROMIUM.variable];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) fail(`${CHROMIUM.variable} names ${named}, and there is no such file.`);
    return named;
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = [
    ...CHROMIUM.places,
    ...CHROMIUM.commands.flatMap((command) => folders.map((folder) => join(folder, command))),
  ];
  return candidates.find((path) => existsSync(path)) ?? null;
}

/** Brings what the tests need where this user may install it, and else says what to type. Nothing is skipped. */
export async function ensureTestTools() {
  if (findChromium() !== null) return;
  const command = `apt-get update && apt-get install -y --no-install-recommends ${CHROMIUM.debian}`;
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!mayInstall) {
    fail(
      `The tests drive a real Chromium, and none is installed here. As root on Debian or Ubuntu:\n\n  ${command}\n\n` +
        `Elsewhere install Chromium or Chrome, and name it in ${CHROMIUM.variable} unless it is in the PATH.`,
    );
  }
  progress(`Installing ${CHROMIUM.debian} from Debian packages …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { code, output } = await run('sh', ['-c', command], { env, quiet: true });
  if (code !== 0 || findChromium() === null) {
    fail(
      `Chromium could not be installed. The command was\n\n  ${command}\n\nand it said:\n${output.trim()}`,
    );
  }
}
