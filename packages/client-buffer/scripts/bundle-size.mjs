/**
 * Prints what the library adds to a browser bundle, minified and gzipped, and the minified bytes of its parts; with
 * `--modules` of each module. Gzip works across modules, so that only the whole has a size there.
 */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, minifySync } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const repository = fileURLToPath(new URL('../../..', import.meta.url));
const built = await build({
  root,
  configFile: false,
  logLevel: 'silent',
  resolve: { conditions: ['tachograph-source', 'module', 'browser'] },
  build: {
    write: false,
    target: 'es2022',
    minify: false,
    rollupOptions: { input: `${root}src/index.ts`, preserveEntrySignatures: 'strict' },
  },
});

function minified(code, compress) {
  return minifySync('bundle.js', code, { module: true, compress }).code;
}

/** The library or package that a module counts for. */
function partOf(module) {
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module)?.[1];
  return library ?? module.replace(repository, '').replace(/\/src\/.*/, '');
}

function print(name, size) {
  process.stdout.write(`${name.padEnd(60)}${String(size).padStart(8)}\n`);
}

for (const { code, modules } of [built].flat().flatMap(({ output }) => output)) {
  const whole = minified(code, true);
  print('gzipped', gzipSync(whole, { level: 9 }).length);
  print('minified', whole.length);
  const rows = Object.entries(modules).map(([path, { code: own }]) => ({
    path,
    // Not compressed: a module alone exports nothing that the minifier could see to be used.
    size: own ? minified(own, false).length : 0,
  }));
  for (const part of new Set(rows.map(({ path }) => partOf(path)))) {
    const own = rows.filter(({ path }) => partOf(path) === part);
    print(
      `  ${part}`,
      own.reduce((sum, { size }) => sum + size, 0),
    );
  }
  if (!process.argv.includes('--modules')) continue;
  for (const { path, size } of rows.toSorted((a, b) => b.size - a.size))
    print(`    ${path.replace(repository, '')}`, size);
}
