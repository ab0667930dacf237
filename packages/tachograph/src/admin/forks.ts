import type { Command } from 'commander';
import { z } from 'zod';
import { printable, type Io } from '../io.ts';
import { adminCommand, adminPath, callAndPrint, type AdminOptions } from './admin-options.ts';

const forks = z.looseObject({ forks: z.array(z.looseObject({})) });

/** `tachograph admin forks` */
export function forksCommand(io: Io): Command {
  return adminCommand('forks', 'the evidence that a device has shown two histories')
    .argument('<tenant>', 'the tenant')
    .argument('<device>', 'the device')
    .action((tenant: string, device: string, options: AdminOptions) =>
      callAndPrint(
        io,
        options,
        { method: 'GET', path: adminPath('tenants', tenant, 'devices', device, 'forks') },
        forks,
        (answer) =>
          answer.forks.length === 0
            ? `No forks: ${device} has shown one history.\n`
            : answer.forks.map((fork, i) => `Fork ${i + 1}\n${describe(fork)}`).join('\n'),
      ),
    );
}

/** Every member on its own line; notes keep their lines, indented. */
function describe(fork: Readonly<Record<string, unknown>>): string {
  return Object.entries(fork)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const lines = text.trimEnd().split('\n').map(printable);
      return lines.length === 1 ? `  ${name}: ${lines[0]}\n` : `  ${name}:\n    ${lines.join('\n    ')}\n`;
    })
    .join('');
}
