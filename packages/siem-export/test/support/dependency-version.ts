import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The version of a package that the tests use, as it is installed. */
export function dependencyVersion(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
