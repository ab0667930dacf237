import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;

/** Serves the packages' sources, so that building the pages needs no build before it. */
export default defineConfig({
  root,
  base: './',
  appType: 'mpa',
  resolve: { conditions: ['tachograph-source', 'browser', 'module', 'import', 'default'] },
  plugins: [shellManifest()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // A strict content security policy allows neither inline scripts nor data addresses.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { demo: `${root}/index.html`, 'service-worker': `${root}/src/worker/service-worker.ts` },
      output: {
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});

/** Writes the list of built files, and a version that changes with any of them, into the service worker. */
function shellManifest(): Plugin {
  return {
    name: 'shell-manifest',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const worker = bundle['service-worker.js'];
      if (worker?.type !== 'chunk') throw new Error('the service worker was not built');
      const files = Object.keys(bundle).filter(
        (name) => name !== 'service-worker.js' && !name.endsWith('.map'),
      );
      const hash = createHash('sha256').update(worker.code);
      for (const name of files.toSorted()) {
        const file = bundle[name];
        hash.update(`${name}\0`).update(file?.type === 'chunk' ? file.code : (file?.source ?? ''));
      }
      const version = hash.digest('hex').slice(0, 16);
      const shell = { version, files: [...files, ...readdirSync(`${root}/public`)] };
      if (!worker.code.includes('__SHELL__')) throw new Error('the service worker takes no file list');
      worker.code = worker.code.replaceAll('__SHELL__', JSON.stringify(shell));
    },
  };
}
