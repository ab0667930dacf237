import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ensureCollector } from './collector.mjs';
import { ensureKafkaJars, ensureOpenSearchJars } from './maven-jars.mjs';
import { fail, progress, run } from './run.mjs';

/** What the tests need beside Node: where it may be, the variable that names it, the Debian package that brings it. */
const CHROMIUM = {
  name: 'Chromium',
  variable: 'CHROMIUM_PATH',
  commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  places: [
    '/usr/bin/chromium',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  debian: 'chromium',
};
const GO = { name: 'Go', commands: ['go'], places: [], debian: 'golang-go' };
const JAVA = { name: 'Java', commands: ['java'], places: [], debian: 'default-jre-headless' };
const MAVEN = { name: 'Maven', commands: ['mvn'], places: [], debian: 'maven' };
const KCAT = { name: 'kcat', commands: ['kcat'], places: [], debian: 'kcat' };
/** Debian keeps each version's programs in a folder of its own, out of the PATH. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql';
const POSTGRES = {
  name: 'PostgreSQL',
  commands: ['initdb'],
  get places() {
    if (!existsSync(DEBIAN_POSTGRES)) return [];
    return readdirSync(DEBIAN_POSTGRES).map((version) => join(DEBIAN_POSTGRES, version, 'bin', 'initdb'));
  },
  debian: 'postgresql',
};
const OPENSSL = { name: 'OpenSSL', commands: ['openssl'], places: [], debian: 'openssl' };
const RSYSLOG = {
  name: 'rsyslog',
  commands: ['rsyslogd'],
  places: ['/usr/sbin/rsyslogd'],
  debian: 'rsyslog',
};
const RSYSLOG_TLS = {
  name: 'rsyslog over TLS',
  commands: [],
  get places() {
    // Debian keeps the modules in a folder by the machine's architecture.
    const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
    return folders.map((folder) => join('/usr/lib', folder, 'rsyslog/lmnsd_ossl.so'));
  },
  debian: 'rsyslog-openssl',
};
const KAFKA = [JAVA, MAVEN];
const FIRST = [CHROMIUM, ...KAFKA, POSTGRES, KCAT, OPENSSL];
const TOOLS = { first: FIRST, second: [...FIRST, GO, RSYSLOG, RSYSLOG_TLS], kafka: KAFKA };

/** The browser that the tests drive, or `null`. */
export function findChromium() {
  return find(CHROMIUM);
}

/**
 * Brings what a ring of tests needs where this user may install it, and else says what to type. Nothing is skipped.
 *
 * @param {'first' | 'second' | 'kafka'} ring `kafka` is what a local broker needs
 */
export async function ensureTestTools(ring) {
  await ensureCommands(ring);
  await ensureKafkaJars();
  if (ring !== 'second') return;
  await ensureOpenSearchJars();
  await ensureCollector();
}

async function ensureCommands(ring) {
  const missing = TOOLS[ring].filter((tool) => find(tool) === null);
  if (missing.length === 0) return;
  const names = new Intl.ListFormat('en-GB').format(missing.map(({ name }) => name));
  const packages = missing.map(({ debian }) => debian).join(' ');
  const command = `apt-get update && apt-get install -y --no-install-recommends ${packages}`;
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!mayInstall) {
    fail(
      `${names}: needed, and not installed here. As root on Debian or Ubuntu:\n\n  ${command}\n\n` +
        `Elsewhere install what is missing so that it is in the PATH${variables(missing)}.`,
    );
  }
  progress(`Installing ${names} from Debian packages …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { code, output } = await run('sh', ['-c', command], { env, quiet: true });
  if (code !== 0 || missing.some((tool) => find(tool) === null)) {
    fail(
      `${names} could not be installed. The command was\n\n  ${command}\n\nand it said:\n${output.trim()}`,
    );
  }
}

/** The variables that may name a tool instead. */
function variables(tools) {
  return tools
    .filter(({ variable }) => variable !== undefined)
    .map(({ name, variable }) => `, or name ${name} with ${variable}`)
    .join('');
}

/** Where a tool is, or `null`. A path that the user names must be right: nothing else is tried. */
function find({ variable, commands, places }) {
  const named = variable === undefined ? undefined : process.env[variable];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) fail(`${variable} names ${named}, and there is no such file.`);
    return named;
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  const inPath = commands.flatMap((command) => folders.map((folder) => join(folder, command)));
  return [...places, ...inPath].find((path) => existsSync(path)) ?? null;
}
