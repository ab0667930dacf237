import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { KnownTenant, Logger, RouteInput } from '@tachograph/siem-export';
import { CliFailure } from '../../src/cli-failure.ts';
import { RoutesKeeper, type RoutesApplier } from '../../src/routes/routes-keeper.ts';
import type { TenantDirectory } from '../../src/routes/tenant-directory.ts';
import { keepingLogger } from '../support/keeping-logger.ts';
import { tempFolders } from '../support/temp-folder.ts';

/** Keeps what it is given, and fails as often as it is told to. */
class Applied implements RoutesApplier {
  readonly calls: (readonly RouteInput[])[] = [];
  failures = 0;

  async apply(routes: readonly RouteInput[]): Promise<void> {
    if (this.failures-- > 0) throw new Error('the log is away');
    this.calls.push(routes);
  }

  names(): string[][] {
    return this.calls.map((routes) => routes.map(({ name }) => name));
  }
}

class Directory implements TenantDirectory {
  known: KnownTenant[] = [
    { id: 'msp', parent: null },
    { id: 'acme', parent: 'msp' },
  ];
  isAway = false;

  async tenants(): Promise<readonly KnownTenant[]> {
    if (this.isAway) throw new Error('PostgreSQL is away');
    return [...this.known];
  }
}

const folder = tempFolders();
const TEMPLATE = `
  - { name: 'siem-{tenant}', eachChildOf: msp, format: ocsf, sink: { type: file, stem: 'siem-{tenant}' } }
`;
const route = (name: string, format = 'raw'): string =>
  `\n  - { name: ${name}, tenants: '*', format: ${format}, sink: { type: file, stem: ${name} } }\n`;

describe('the routes in force', () => {
  let file: string;
  let directory: Directory;
  let applied: Applied;
  let logger: ReturnType<typeof keepingLogger>;

  beforeEach(() => {
    file = join(folder(), 'routes.yaml');
    directory = new Directory();
    applied = new Applied();
    logger = keepingLogger();
  });

  const write = (...routes: string[]): void => writeFileSync(file, `routes:${routes.join('')}`);
  const open = (named = false): Promise<RoutesKeeper> =>
    RoutesKeeper.open({ file, named, format: 'ecs' }, directory, logger);
  const names = (keeper: RoutesKeeper): string[] => keeper.routes.map(({ name }) => name);
  const events = (name: string): object[] =>
    logger.lines.filter((line) => line.name === name).map(({ fields }) => fields);
  const isValid = (keeper: RoutesKeeper): boolean =>
    keeper.metrics().includes('\ntachograph_export_routes_file_valid 1\n');

  it('are the built-in one, in the format of the settings, where there is no file', async () => {
    const keeper = await open();
    expect(keeper.routes).toMatchObject([{ name: 'events', tenants: '*', format: 'ecs' }]);
    expect(isValid(keeper)).toBe(true);
  });

  it('are not guessed where the file that somebody named is missing', async () => {
    await expect(open(true)).rejects.toThrow(CliFailure);
  });

  it('are none where the first file has problems: each is told', async () => {
    write(route('a', 'json'), route('b', 'xml'));
    const failure = await open().catch((error: unknown) => error);
    if (!(failure instanceof CliFailure)) throw failure;
    expect(failure.mend).toEqual([
      expect.stringContaining(`${file}:2:38: routes[0].format: expected cloudevents`),
      expect.stringContaining('routes[1].format: expected cloudevents'),
    ]);
  });

  it('stay as they are, and nothing is applied, while file and tenants stay', async () => {
    write(route('a'), TEMPLATE);
    const keeper = await open();
    await keeper.look(applied);
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['a', 'siem-acme']);
    expect(applied.calls).toEqual([]);
  });

  it('change with the file, and the log says what has changed', async () => {
    write(route('a'), route('b'), route('c'));
    const keeper = await open();
    write(route('b'), route('c', 'ecs'), route('d'));
    await keeper.look(applied);
    expect(applied.names()).toEqual([['b', 'c', 'd']]);
    expect(events('routes.applied')).toEqual([
      { file, routes: 3, started: ['d'], stopped: ['a'], restarted: ['c'] },
    ]);
  });

  it('are not applied anew when only the words of the file change', async () => {
    write(route('a'));
    const keeper = await open();
    write('\n  # a comment', route('a'));
    await keeper.look(applied);
    expect(applied.calls).toEqual([]);
    expect(isValid(keeper)).toBe(true);
  });

  it('get one more when a customer is made, without the file being touched', async () => {
    write(TEMPLATE);
    const keeper = await open();
    directory.known.push({ id: 'bravo', parent: 'msp' }, { id: 'other', parent: null });
    await keeper.look(applied);
    expect(applied.names()).toEqual([['siem-acme', 'siem-bravo']]);
    expect(events('routes.applied')).toMatchObject([{ started: ['siem-bravo'], stopped: [], restarted: [] }]);
  });

  it('go on where the new file has problems, which are told once, until it is mended', async () => {
    write(route('a'));
    const keeper = await open();
    write(route('a'), route('b', 'xml'), '\n  - nothing');
    await keeper.look(applied);
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['a']);
    expect(applied.calls).toEqual([]);
    expect(isValid(keeper)).toBe(false);
    expect(events('routes.refused')).toEqual([
      { problems: [expect.stringContaining(`${file}:4:38: `), expect.any(String)] },
    ]);
    write(route('a'));
    await keeper.look(applied);
    expect(isValid(keeper)).toBe(true);
    expect(events('routes.mended')).toHaveLength(1);
    expect(applied.calls).toEqual([]);
  });

  it('get one more when a customer is made, by the file before, while the new one has problems', async () => {
    write(TEMPLATE);
    const keeper = await open();
    write(TEMPLATE, route('b', 'xml'));
    await keeper.look(applied);
    directory.known.push({ id: 'bravo', parent: 'msp' });
    await keeper.look(applied);
    expect(applied.names()).toEqual([['siem-acme', 'siem-bravo']]);
    expect(isValid(keeper)).toBe(false);
    expect(events('routes.refused')).toHaveLength(1);
  });

  it('go on where the file is taken away', async () => {
    write(route('a'));
    const keeper = await open();
    renameSync(file, `${file}.away`);
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['a']);
    expect(isValid(keeper)).toBe(false);
    renameSync(`${file}.away`, file);
    await keeper.look(applied);
    expect(isValid(keeper)).toBe(true);
    expect(applied.calls).toEqual([]);
  });

  it('are those of a file that somebody writes while the built-in one runs', async () => {
    const keeper = await open();
    write(route('a'));
    await keeper.look(applied);
    expect(applied.names()).toEqual([['a']]);
  });

  it('are tried again where they could not be applied', async () => {
    write(route('a'));
    const keeper = await open();
    write(route('b'));
    applied.failures = 1;
    await keeper.look(applied);
    expect(isValid(keeper)).toBe(false);
    expect(events('routes.refused')).toEqual([
      { problems: ['the routes cannot be applied: the log is away'] },
    ]);
    await keeper.look(applied);
    expect(applied.names()).toEqual([['b']]);
    expect(isValid(keeper)).toBe(true);
  });

  it('go on while nobody can say which tenants there are, which is told once', async () => {
    write(TEMPLATE);
    const keeper = await open();
    directory.isAway = true;
    await keeper.look(applied);
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['siem-acme']);
    expect(events('tenants.read_failed')).toEqual([{ reason: 'PostgreSQL is away' }]);
    directory.isAway = false;
    directory.known.push({ id: 'bravo', parent: 'msp' });
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['siem-acme', 'siem-bravo']);
  });

  it('begin without templates where nobody can say at the start, and get them with the first answer', async () => {
    write(TEMPLATE, route('a'));
    directory.isAway = true;
    const keeper = await open();
    expect(names(keeper)).toEqual(['a']);
    expect(events('tenants.read_failed')).toHaveLength(1);
    expect(events('routes.warned')).toHaveLength(1);
    directory.isAway = false;
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['a', 'siem-acme']);
  });

  it('follow the last of many changes, each look alone', async () => {
    write(route('a'));
    const keeper = await open();
    write(route('b'));
    const looks = [keeper.look(applied), keeper.look(applied)];
    write(route('c'));
    looks.push(keeper.look(applied));
    await Promise.all(looks);
    expect(names(keeper)).toEqual(['c']);
    expect(applied.names().at(-1)).toEqual(['c']);
  });

  it('count what a new customer’s name left out', async () => {
    write(TEMPLATE, route('siem-bravo'));
    const keeper = await open();
    directory.known.push({ id: 'bravo', parent: 'msp' });
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['siem-bravo', 'siem-acme']);
    expect(keeper.metrics()).toContain('\ntachograph_export_routes_left_out 1\n');
    expect(events('routes.warned')).toMatchObject([
      { warnings: [expect.stringContaining('the route for bravo is left out')] },
    ]);
  });

  it('count the tenants that no route is for', async () => {
    write(TEMPLATE);
    const keeper = await open();
    expect(keeper.metrics()).toContain('\ntachograph_export_tenants_uncovered 1\n');
    write(TEMPLATE, route('all'));
    await keeper.look(applied);
    expect(keeper.metrics()).toContain('\ntachograph_export_tenants_uncovered 0\n');
  });

  it('are looked at again after a look that failed altogether', async () => {
    write(route('a'));
    let failures = 1;
    const failing: Logger = {
      info: (fields, name) => logger.info(fields, name),
      warn: (fields, name) => logger.warn(fields, name),
      error: (fields, name) => {
        if (failures-- > 0) throw new Error('the disk of the log is full');
        logger.error(fields, name);
      },
    };
    const keeper = await RoutesKeeper.open({ file, named: false, format: 'ecs' }, directory, failing);
    write(route('b', 'xml'));
    await keeper.look(applied);
    expect(events('routes.look_failed')).toHaveLength(1);
    write(route('c'));
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['c']);
  });

  it.each([
    [
      'a folder',
      (path: string) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    ['no UTF-8', (path: string) => writeFileSync(path, Buffer.from([0x72, 0xff, 0xfe]))],
    ['too large', (path: string) => writeFileSync(path, '#'.repeat(2_000_000))],
  ])('go on where the file is %s', async (_what, change) => {
    write(route('a'));
    const keeper = await open();
    change(file);
    await keeper.look(applied);
    expect(names(keeper)).toEqual(['a']);
    expect(isValid(keeper)).toBe(false);
  });
});
