import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditBuffer } from '@tachograph/client-buffer';
import { eventually } from '../support/eventually.ts';
import { readFeed } from '../support/feed.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';
import { page, ROOT } from './pages.ts';

const run = promisify(execFile);

describe('README.md', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let server: Served;

  beforeAll(async () => {
    dir = await tempDir();
    server = await serve({ dataDir: join(dir.path, 'data') });
  });
  afterAll(async () => {
    await server?.stop();
    await dir?.remove();
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(page('package.json')) as { scripts: Record<string, string> };
    const named = blocks('sh').flatMap((block) =>
      [...block.matchAll(/^npm (?:run )?([a-z:]+)/gm)].map(([, name]) => name!),
    );
    expect(named).toEqual(expect.arrayContaining(['start', 'test']));
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it('shows a developer code that records, enrols and gets a receipt', async () => {
    const answer = await admin('token', 'create', 'demo', '--json');
    const { token } = JSON.parse(answer) as { token: string };
    const source = blocks('ts').join('\n').replaceAll('http://localhost:8787', server.url);
    const folder = join(ROOT, '.cache/readme');
    await mkdir(folder, { recursive: true });
    const file = join(folder, `quickstart-${process.pid}.ts`);
    await writeFile(file, `const enrolmentToken = ${JSON.stringify(token)};\n${source}`);
    const quickstart = (await import(file)) as { audit: AuditBuffer };
    await rm(file);
    const { origin } = quickstart.audit.status();
    await quickstart.audit.close();
    const line = await eventually('the event in the feed', async () => {
      const feed = await readFeed(server.dataDir);
      return feed.find(({ source: of, type }) => of === origin && type === 'item.reveal') ?? null;
    });
    expect(line.data?.data).toEqual({ vault: 'v_1' });
  });

  it('shows an analyst and an administrator commands that work', async () => {
    const commands = blocks('sh').filter((block) => !block.startsWith('npm '));
    expect(commands.length).toBeGreaterThanOrEqual(2);
    for (const block of commands) {
      // `npx` would look for the package in the folder it stands in; here the command is on the path.
      const { stdout } = await run('sh', ['-e', '-c', block.replaceAll('npx tachograph', 'tachograph')], {
        cwd: dir.path,
        env: environment(),
      });
      expect(stdout).not.toBe('');
    }
    // Each of a dozen commands starts a Node of its own, on a machine that may be busy.
  }, 120_000);

  function environment(): NodeJS.ProcessEnv {
    return {
      PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
      TACHOGRAPH_URL: server.url,
      PORT: String(server.port),
      ADMIN_TOKEN: server.adminToken,
    };
  }

  async function admin(...args: string[]): Promise<string> {
    const { stdout } = await run('tachograph', ['admin', ...args], { cwd: dir.path, env: environment() });
    return stdout;
  }
});

/** The fenced code blocks of one language, without their fences. */
function blocks(language: string): string[] {
  return [...page('README.md').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , body]) => body!);
}
