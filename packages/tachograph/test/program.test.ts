import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../src/program.ts';
import { runCli } from '../src/run-cli.ts';
import { SERVER_VARIABLES } from '../src/settings.ts';
import { fakeIo } from './support/fake-io.ts';
import { tempFolders } from './support/temp-folder.ts';

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

const commands = everyCommand(createProgram(fakeIo()));

describe('the command line', () => {
  it('has the commands that are documented', () => {
    const program = createProgram(fakeIo());
    expect(program.commands.map((command) => command.name())).toEqual([
      'serve',
      'ingest',
      'control',
      'export',
      'admin',
      'offboard',
      'policy',
      'keys',
      'topics',
      'log',
      'tail',
      'verify',
      'prove',
      'evidence',
      'dlq',
      'replay',
      'doctor',
    ]);
  });

  it('describes every command, option and argument', () => {
    expect(commands.length).toBeGreaterThan(15);
    for (const command of commands) {
      expect(command.description()).not.toBe('');
      for (const option of command.options) expect(option.description).not.toBe('');
      for (const argument of command.registeredArguments) expect(argument.description).not.toBe('');
    }
  });

  it.each(commands.map((command) => [pathOf(command)] as const))(
    '`%s --help` prints and succeeds',
    async (path) => {
      const io = fakeIo();
      expect(await runCli([...path.split(' ').slice(1), '--help'], io)).toBe(0);
      expect(io.printed()).toContain(`Usage: ${path}`);
      expect(io.complained()).toBe('');
    },
  );

  it('lists every variable of a server in the help of serve', async () => {
    const io = fakeIo();
    await runCli(['serve', '--help'], io);
    for (const { name } of SERVER_VARIABLES) expect(io.printed()).toContain(name);
  });

  it.each([
    [['--nope'], "unknown option '--nope'"],
    [['serv'], "unknown command 'serv'"],
    [['admin', 'devices', 'list'], "missing required argument 'tenant'"],
    [['admin', 'token', 'create', 'acme', '--ttl', 'soon'], '30s, 15m, 24h, 7d'],
    [['admin', 'token', 'create', 'acme', '--uses', '0'], 'A whole number from 1 on.'],
    [['admin', 'devices', 'revoke', 'acme', 'x'], '--reason'],
  ])('refuses %j with code 2, a reason and the way to help', async (args, message) => {
    const io = fakeIo();
    expect(await runCli(args, io)).toBe(2);
    expect(io.complained()).toContain(message);
    expect(io.complained()).toContain('--help says more');
    expect(io.printed()).toBe('');
  });
});

describe('keys rotate', () => {
  const folder = tempFolders();

  it('says which step comes next instead of doing the wrong one', async () => {
    const env = { DATA_DIR: folder() };
    const run = async (...args: string[]) => {
      const io = fakeIo(env);
      return { code: await runCli(['keys', ...args], io), said: io.printed() + io.complained() };
    };
    expect(await run('rotate')).toMatchObject({ code: 1, said: expect.stringContaining('keys create') });
    expect((await run('create')).code).toBe(0);
    expect(await run('rotate', '--finish')).toMatchObject({
      code: 1,
      said: expect.stringContaining('No rotation is under way'),
    });
    expect((await run('rotate')).code).toBe(0);
    expect(await run('rotate')).toMatchObject({ code: 1, said: expect.stringContaining('--finish') });
    expect((await run('rotate', '--finish')).code).toBe(0);
  });
});

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
