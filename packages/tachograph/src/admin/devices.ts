import { Command } from 'commander';
import { z } from 'zod';
import type { Io } from '../io.ts';
import { formatTable } from '../table.ts';
import { adminCommand, adminPath, callAndPrint, type AdminOptions } from './admin-options.ts';

const device = z.looseObject({
  device: z.string(),
  subject: z.string().nullish(),
  status: z.string(),
  size: z.number(),
  lastSeen: z.string().nullish(),
  pending: z.number().nullish(),
  oldestPending: z.string().nullish(),
});
const devices = z.looseObject({ devices: z.array(device), cursor: z.string().nullish() });

type ListOptions = AdminOptions & {
  readonly status?: string;
  readonly subject?: string;
  readonly cursor?: string;
};
type RevokeOptions = AdminOptions & { readonly reason: string; readonly purge?: readonly string[] };

/** `tachograph admin devices …` */
export function devicesCommand(io: Io): Command {
  return new Command('devices')
    .description('the devices of a tenant: who they are, what they held when last seen')
    .addCommand(listCommand(io))
    .addCommand(approveCommand(io))
    .addCommand(revokeCommand(io));
}

function listCommand(io: Io): Command {
  return adminCommand('list', 'list devices, with what each held when it was last seen')
    .argument('<tenant>', 'the tenant')
    .option('--status <status>', 'only these: enrolled, pending_approval, quarantined or revoked')
    .option('--subject <subject>', 'only the devices of this person')
    .option('--cursor <cursor>', 'go on where an earlier list ended')
    .action((tenant: string, options: ListOptions) => {
      const query = new URLSearchParams();
      for (const name of ['status', 'subject', 'cursor'] as const) {
        const value = options[name];
        if (value !== undefined) query.set(name, value);
      }
      const path = `${adminPath('tenants', tenant, 'devices')}${query.size > 0 ? `?${query}` : ''}`;
      return callAndPrint(io, options, { method: 'GET', path }, devices, (answer) => {
        const table = formatTable(
          ['device', 'subject', 'status', 'size', 'last seen', 'held then', 'oldest of it'],
          answer.devices.map((row) => [
            row.device,
            row.subject,
            row.status,
            row.size,
            row.lastSeen,
            row.pending,
            row.oldestPending,
          ]),
        );
        const more = answer.cursor ?? null;
        return more === null ? table : `${table}There are more: --cursor ${more}\n`;
      });
    });
}

function approveCommand(io: Io): Command {
  return adminCommand('approve', 'let a waiting device in, or confirm a quarantined one')
    .argument('<tenant>', 'the tenant')
    .argument('<device>', 'the device, as `list` shows it')
    .action((tenant: string, id: string, options: AdminOptions) =>
      callAndPrint(
        io,
        options,
        { method: 'POST', path: adminPath('tenants', tenant, 'devices', id, 'approve') },
        z.looseObject({}),
        () => `Approved ${id}.\n`,
      ),
    );
}

function revokeCommand(io: Io): Command {
  return adminCommand('revoke', 'revoke a device; with --purge, order it to delete what it has cached')
    .argument('<tenant>', 'the tenant')
    .argument('<device>', 'the device, as `list` shows it')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--purge <scope...>', 'what it must delete: * for all, or scopes that the app defines')
    .addHelpText(
      'after',
      '\nA revoked device may still upload what it recorded; it gets no lease any more. A purge is carried out\nwhen the device is next in contact, and is reported by the device itself.',
    )
    .action((tenant: string, id: string, options: RevokeOptions) =>
      callAndPrint(
        io,
        options,
        {
          method: 'POST',
          path: adminPath('tenants', tenant, 'devices', id, 'revoke'),
          body: { reason: options.reason, purge: options.purge ?? [] },
        },
        z.looseObject({}),
        () => `Revoked ${id}.\n`,
      ),
    );
}
