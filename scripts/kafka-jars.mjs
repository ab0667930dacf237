import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, progress, ROOT, run } from './run.mjs';

const POM = join(ROOT, 'test/kafka/pom.xml');
const JARS = join(ROOT, '.cache/kafka');
const STAMP = join(JARS, 'pom.xml');
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** Brings the jars of Apache Kafka from Maven Central to `.cache/kafka`, unless those that the pom names are there. */
export async function ensureKafkaJars() {
  const pom = readFileSync(POM, 'utf8');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === pom) return;
  progress('Bringing Apache Kafka from Maven Central …');
  // A folder that is complete has the stamp in it: one that was broken off is never mistaken for it.
  const fresh = `${JARS}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const args = ['-q', '-B', '-f', POM, COPY, `-DoutputDirectory=${fresh}`, '-DincludeScope=runtime'];
  const { code, output } = await run('mvn', args, { quiet: true });
  if (code !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    fail(
      `Apache Kafka could not be brought. The command was\n\n  mvn ${args.join(' ')}\n\nand it said:\n${output.trim()}`,
    );
  }
  writeFileSync(join(fresh, 'pom.xml'), pom);
  rmSync(JARS, { recursive: true, force: true });
  renameSync(fresh, JARS);
}
