import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, progress, ROOT, run } from './run.mjs';

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** Apache Kafka, for the tests and for `npm start -- --kafka`. */
export function ensureKafkaJars() {
  return ensureJars('kafka', 'Apache Kafka');
}

/** OpenSearch in one process, for the tests. */
export function ensureOpenSearchJars() {
  return ensureJars('opensearch', 'OpenSearch');
}

/** Brings the jars that `test/<name>/pom.xml` names from Maven Central to `.cache/<name>`, unless those are there. */
async function ensureJars(name, title) {
  const source = join(ROOT, 'test', name, 'pom.xml');
  const jars = join(ROOT, '.cache', name);
  const stamp = join(jars, 'pom.xml');
  const pom = readFileSync(source, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === pom) return;
  progress(`Bringing ${title} from Maven Central …`);
  // A folder that is complete has the stamp in it: one that was broken off is never mistaken for it.
  const fresh = `${jars}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const args = ['-q', '-B', '-f', source, COPY, `-DoutputDirectory=${fresh}`, '-DincludeScope=runtime'];
  const { code, output } = await run('mvn', args, { quiet: true });
  if (code !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    fail(
      `${title} could not be brought. The command was\n\n  mvn ${args.join(' ')}\n\nand it said:\n${output.trim()}`,
    );
  }
  writeFileSync(join(fresh, 'pom.xml'), pom);
  rmSync(jars, { recursive: true, force: true });
  renameSync(fresh, jars);
}
