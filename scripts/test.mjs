/**
 * `node scripts/test.mjs first|second [jest arguments]`: one ring of tests, a summary, and the figures as JSON in
 * `.cache/results/<ring>.json`. The first ring starts with the checks of `npm run check`, each of which counts like
 * a test. With jest arguments only jest runs.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fail, progress, ROOT, run, runNode } from './run.mjs';
import { findChromium } from './test-tools.mjs';

/** The longest a ring may take before it is ended as failed: a hang must not look like patience. */
const RING_MS_MAX = { first: 15 * 60_000, second: 25 * 60_000 };
const CHECKS = ['format', 'lint', 'types', 'unused'];

const [ring, ...jestArgs] = process.argv.slice(2);
if (ring !== 'first' && ring !== 'second') fail('Usage: node scripts/test.mjs first|second [jest arguments]');

const results = join(ROOT, '.cache/results');
mkdirSync(results, { recursive: true });
const jestFile = join(results, `${ring}.jest.json`);
const ringFile = join(results, `${ring}.json`);
// A result of an earlier run must never be read as one of this run.
for (const file of [jestFile, ringFile]) rmSync(file, { force: true });

const items = [];
if (ring === 'first' && jestArgs.length === 0) for (const check of CHECKS) items.push(await runCheck(check));
items.push(await runJest());

const passed = sum(items.map((item) => item.passed));
const failed = sum(items.map((item) => item.failed));
writeFileSync(ringFile, `${JSON.stringify({ ring, passed, failed, items }, null, 2)}\n`);
process.stdout.write(`\n${ring} ring\n`);
for (const item of items) process.stdout.write(`  ${item.failed === 0 ? '✓' : '✗'} ${item.text}\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function runCheck(check) {
  const started = Date.now();
  const { code, output } = await run('npm', ['run', '--silent', `check:${check}`], { quiet: true });
  const text = `check:${check} (${seconds(started)})`;
  if (code !== 0) process.stdout.write(`${output.trim()}\n`);
  progress(`${text} ${code === 0 ? 'passed' : 'failed'}`);
  return { name: `check:${check}`, text, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
}

async function runJest() {
  const started = Date.now();
  const chromium = findChromium();
  const env = {
    ...process.env,
    TACHOGRAPH_RING: ring,
    NODE_OPTIONS: [
      process.env.NODE_OPTIONS,
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
    ]
      .filter(Boolean)
      .join(' '),
    ...(chromium === null ? {} : { CHROMIUM_PATH: chromium }),
  };
  const args = ['--json', `--outputFile=${jestFile}`, `--maxWorkers=${availableParallelism()}`, ...jestArgs];
  const { code, timedOut } = await runNode('node_modules/jest/bin/jest.js', args, {
    env,
    timeoutMs: RING_MS_MAX[ring],
  });
  return { name: 'jest', ...readJest(code, timedOut, seconds(started)) };
}

/** The figures of jest's own report; whatever else is wrong counts as one more failure. */
function readJest(code, timedOut, duration) {
  if (timedOut || !existsSync(jestFile)) {
    const why = timedOut ? `was ended after ${duration}` : `ended with code ${code} and left no report`;
    return { passed: 0, failed: 1, text: `jest ${why}` };
  }
  const report = JSON.parse(readFileSync(jestFile, 'utf8'));
  // With a filter on names (-t) jest reports the others as pending; otherwise a skipped test is a hole.
  const skipped = jestArgs.length === 0 ? report.numPendingTests + report.numTodoTests : 0;
  const counted = report.numFailedTests + report.numRuntimeErrorTestSuites + skipped;
  const item = {
    passed: report.numPassedTests,
    failed: code !== 0 && counted === 0 ? 1 : counted,
  };
  const notes = skipped > 0 ? `, ${skipped} of them skipped, which counts as failed` : '';
  return { ...item, text: `jest: ${item.passed} passed, ${item.failed} failed${notes} (${duration})` };
}

function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
