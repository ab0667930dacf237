import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fail, progress, ROOT, run, runNode } from './run.mjs';

const CONSOLE = join(ROOT, 'packages/console');

/** Builds the packages and the web pages unless what is built is of the present sources. */
export async function ensureBuilt() {
  // The compiler keeps its own account of what is old; asking it costs half a second.
  const types = await runNode('node_modules/typescript/bin/tsc', ['-b', ...buildProjects()], { quiet: true });
  if (types.code !== 0) fail(`The packages do not compile:\n${types.output.trim()}`);
  await ensurePages();
}

/** What has to be built to run; tests and benchmarks are only type-checked, and only by `npm run check`. */
function buildProjects() {
  return readdirSync(join(ROOT, 'packages'))
    .map((name) => `packages/${name}`)
    .filter((path) => path !== 'packages/console' && existsSync(join(ROOT, path, 'tsconfig.json')));
}

async function ensurePages() {
  const stampFile = join(ROOT, '.cache/console.stamp');
  const stamp = hashOf([
    join(ROOT, 'package-lock.json'),
    ...filesUnder(CONSOLE),
    ...filesUnder(join(ROOT, 'packages/client-buffer/src')),
    ...filesUnder(join(ROOT, 'packages/wire/src')),
  ]);
  const built = existsSync(join(CONSOLE, 'dist/index.html')) && existsSync(stampFile);
  if (built && readFileSync(stampFile, 'utf8') === stamp) return;
  progress('Building the web pages …');
  const { code, output } = await run('npm', ['run', 'build', '--workspace', 'packages/console'], {
    quiet: true,
  });
  if (code !== 0) fail(`The web pages do not build:\n${output.trim()}`);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[/\\](node_modules|dist|test)[/\\]/.test(path))
    .toSorted();
}

/** One hash over names and contents: the same on every machine and after every checkout. */
function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}
