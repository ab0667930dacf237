import { Command } from 'commander';
import { z } from 'zod';
import type { Io } from '../io.ts';
import { formatTable } from '../table.ts';
import { adminCommand, adminPath, callAndPrint, type AdminOptions } from './admin-options.ts';

const tenant = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  parent: z.string().nullish(),
});
const tenants = z.looseObject({ tenants: z.array(tenant) });

/** `tachograph admin tenants …` */
export function tenantsCommand(io: Io): Command {
  return new Command('tenants')
    .description('the organisations whose devices are served')
    .addCommand(
      adminCommand('list', 'list the tenants that the token reaches').action((options: AdminOptions) =>
        callAndPrint(io, options, { method: 'GET', path: adminPath('tenants') }, tenants, (answer) =>
          formatTable(
            ['tenant', 'name', 'parent'],
            answer.tenants.map((row) => [row.id, row.name, row.parent]),
          ),
        ),
      ),
    )
    .addCommand(
      adminCommand('create', 'create a tenant, and with it its own log')
        .argument('<tenant>', 'its name: a-z, 0-9 and dashes, at most 63')
        .option('--name <name>', 'what people call it (default: the tenant)')
        .option('--parent <tenant>', 'the provider that it is a customer of')
        .action((id: string, options: AdminOptions & { name?: string; parent?: string }) =>
          callAndPrint(
            io,
            options,
            {
              method: 'POST',
              path: adminPath('tenants'),
              body: {
                id,
                name: options.name ?? id,
                ...(options.parent === undefined ? {} : { parent: options.parent }),
              },
            },
            z.looseObject({}),
            () => `Created tenant ${id}. Let devices in with: tachograph admin token create ${id}\n`,
          ),
        ),
    );
}
