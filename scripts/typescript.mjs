/**
 * `node --import ./scripts/typescript.mjs file.ts`: lets this Node run TypeScript by erasing its types, as newer
 * ones do by themselves. Benchmarks use it; the packages they measure are the built ones.
 */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
