// Prints what the library adds to a browser bundle: minified, and gzipped. Run it with `node` from anywhere.
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = await build({
  root,
  configFile: false,
  logLevel: 'silent',
  resolve: { conditions: ['tachograph-source', 'module', 'browser'] },
  build: {
    write: false,
    target: 'es2022',
    rollupOptions: { input: `${root}src/index.ts`, preserveEntrySignatures: 'strict' },
  },
});
for (const chunk of [built].flat().flatMap(({ output }) => output)) {
  if (chunk.type !== 'chunk') continue;
  const gzipped = gzipSync(chunk.code, { level: 9 }).length;
  process.stdout.write(`${chunk.fileName}: ${chunk.code.length} bytes minified, ${gzipped} gzipped\n`);
}
