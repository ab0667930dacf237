/**
 * Brings a checkout into the state that `npm start` and `npm test` need: dependencies, build and, with
 * `--with-test-tools=first|second`, what a ring of tests needs. Uses only Node's own modules, since it is the first thing to run after a clone.
 * What is there already is not fetched again: on a prepared machine it needs no network.
 */
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './installed.mjs';
import { fail } from './run.mjs';
import { ensureTestTools } from './test-tools.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node 20.19 or newer is needed; this is ${process.versions.node}. Get one from https://nodejs.org`);
}
await ensureInstalled();
await ensureBuilt();
if (process.argv.includes('--with-test-tools=first')) await ensureTestTools('first');
if (process.argv.includes('--with-test-tools=second')) await ensureTestTools('second');
