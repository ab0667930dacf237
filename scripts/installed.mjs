import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, progress, ROOT, run, runNode } from './run.mjs';

/**
 * Installs the dependencies unless what is installed is what the lockfile says.
 *
 * `npm install --no-save` and the comparison after it, not `npm ci`: that refuses a lockfile which lacks a binary
 * for some other system, and registries do lack some of them. The versions are the lockfile's either way.
 *
 * The two lists are compared by content, not by age: a fresh checkout gives every file a new time, and a machine
 * without network must not be sent to a registry for that.
 */
export async function ensureInstalled() {
  const wrong = firstDifference();
  if (wrong === null) return;
  progress(`Installing dependencies (${wrong}) …`);
  // NODE_ENV=production would leave out the compiler that builds what is to be started.
  const { code, output } = await npm(['install', '--no-save', '--include=dev', '--no-progress']);
  if (code !== 0) fail(`npm install failed:\n${output.trim()}\n\nMend what it says and start again.`);
  const still = firstDifference();
  if (still !== null)
    fail(`npm install ended well, but ${still}. Is package-lock.json in step with package.json?`);
}

function npm(args) {
  const cli = process.env.npm_execpath;
  const options = { quiet: true };
  // Whoever calls us by `yarn` or `pnpm` sets this variable too; only npm understands the lockfile.
  return cli?.endsWith('npm-cli.js') ? runNode(cli, args, options) : run('npm', args, options);
}

/** Why the installed packages are not those of the lockfile, or `null`. */
function firstDifference() {
  const hidden = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(hidden)) return 'nothing is installed yet';
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    // Optional packages are mostly binaries for other systems: their absence says nothing.
    if (path === '' || entry.optional === true) continue;
    const have = installed[path];
    if (have === undefined) return `${path} is missing`;
    if (have.version !== entry.version || have.integrity !== entry.integrity) return `${path} is another one`;
    if (!existsSync(join(ROOT, path, 'package.json'))) return `${path} is missing`;
  }
  return null;
}
