import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/run-cli.ts';
import { RoutesKeeper } from '../../src/routes/routes-keeper.ts';
import { fakeIo } from '../support/fake-io.ts';
import { keepingLogger } from '../support/keeping-logger.ts';
import { tempFolders } from '../support/temp-folder.ts';

const SECRET = 'hunter2';
const folder = tempFolders();

/** Files into which somebody wrote a secret, right or wrong. */
const FILES: readonly (readonly [what: string, text: string])[] = [
  [
    'a comment',
    `# ${SECRET}\nroutes: [{ name: a, tenants: '*', format: raw, sink: { type: file, stem: a } }]`,
  ],
  ['a setting that there is not', `routes: [{ name: a, sink: { type: file, token: ${SECRET} } }]`],
  ['the name of a setting', `routes: [{ name: a, sink: { type: file, ${SECRET}: 1 } }]`],
  ['an alias', `routes: [{ name: a, sink: { type: file, token: *${SECRET} } }]`],
  ['a tag', `routes: [{ name: a, sink: { type: file, token: !${SECRET} } }]`],
  ['a name that is a list', `routes: [{ [${SECRET}]: 1 }]`],
  ['broken quotes', `routes:\n  - name: "${SECRET}\n`],
  ['a stem', `routes: [{ name: a, tenants: '*', format: raw, sink: { type: file, stem: '${SECRET}!' } }]`],
  ['a type', `routes: [{ name: a, tenants: '*', format: raw, sink: { type: ${SECRET} } }]`],
  ['a whole file that is no list of routes', SECRET],
];

describe('INV-18: a secret in the file of routes', () => {
  it.each(FILES)(
    'that stands in %s is in no plan, no finding, no log line, no figure and no failure',
    async (_what, text) => {
      const dataDir = folder();
      const file = join(dataDir, 'routes.yaml');
      const env = { DATA_DIR: dataDir, PORT: '0', SIEM_TOKEN: SECRET };
      const logger = keepingLogger();
      const directory = { tenants: async () => [{ id: 'acme', parent: null }] };
      const keeper = await RoutesKeeper.open({ file, named: false, format: 'raw' }, directory, logger);
      writeFileSync(file, text);
      await keeper.look({ apply: async () => undefined });
      const said = [JSON.stringify(logger.lines), keeper.metrics()];
      for (const args of [
        ['export', 'plan'],
        ['export', 'plan', '--json'],
        ['doctor'],
        ['doctor', '--json'],
      ]) {
        const io = fakeIo(env);
        await runCli(args, io);
        said.push(io.printed(), io.complained());
      }
      const failure = await RoutesKeeper.open({ file, named: true, format: 'raw' }, directory, logger).then(
        () => '',
        (error: unknown) => JSON.stringify(error, Object.getOwnPropertyNames(error)),
      );
      expect(said.join('\n')).toContain('routes');
      expect([...said, failure].join('\n')).not.toContain(SECRET);
    },
  );

  it('is not needed: what names its place is all that is kept of it', async () => {
    const dataDir = folder();
    const secretFile = join(dataDir, 'token');
    writeFileSync(secretFile, SECRET);
    chmodSync(secretFile, 0o600);
    const io = fakeIo({ DATA_DIR: dataDir, PORT: '0', SIEM_TOKEN: SECRET });
    writeFileSync(
      join(dataDir, 'routes.yaml'),
      `routes: [{ name: a, tenants: '*', format: raw, sink: { type: file, stem: a, token: { file: ${secretFile} } } }]`,
    );
    expect(await runCli(['export', 'plan'], io)).toBe(1);
    expect(io.printed() + io.complained()).not.toContain(SECRET);
  });
});
