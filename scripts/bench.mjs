/** `npm run bench [-- name … --option …]`: runs `bench/<name>.bench.ts` (or `.mjs`) one after the other, all of them by default. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fail, progress, ROOT, runNode } from './run.mjs';
import { findChromium } from './test-tools.mjs';

const BENCH = /^(?<name>.+)\.bench\.(ts|mjs)$/;
const files = new Map(
  readdirSync(join(ROOT, 'bench')).flatMap((file) => {
    const name = BENCH.exec(file)?.groups?.name;
    return name === undefined ? [] : [[name, `bench/${file}`]];
  }),
);
const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const names = asked.length > 0 ? asked : [...files.keys()];
const unknown = names.filter((name) => !files.has(name));
if (unknown.length > 0)
  fail(`No benchmark ${unknown.join(', ')}. There are: ${[...files.keys()].join(', ')}`);

const chromium = findChromium();
const env = { ...process.env, ...(chromium === null ? {} : { CHROMIUM_PATH: chromium }) };
const broken = [];
for (const name of names) {
  progress(`bench ${name}`);
  const { code } = await runNode('--import', ['./scripts/typescript.mjs', files.get(name), ...options], {
    env,
  });
  if (code !== 0) broken.push(name);
}
if (broken.length > 0) fail(`Failed: ${broken.join(', ')}`);
