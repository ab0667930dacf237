import { Command, Option } from 'commander';
import { z } from 'zod';
import { parseCount, parseDuration } from '../duration.ts';
import type { Io } from '../io.ts';
import { adminCommand, adminPath, callAndPrint, type AdminOptions } from './admin-options.ts';

type TokenOptions = AdminOptions & {
  readonly uses: number;
  readonly ttl: number;
  readonly network?: readonly string[];
  readonly subject?: string;
};

const created = z.looseObject({ id: z.string(), token: z.string() });

/** `tachograph admin token …` */
export function tokenCommand(io: Io): Command {
  const create = adminCommand('create', 'make an enrolment token for devices of a tenant')
    .argument('<tenant>', 'the tenant')
    .option('--uses <count>', 'how many devices may enrol with it', parseCount, 1)
    .addOption(
      new Option('--ttl <duration>', 'how long it is valid: 15m, 24h, 7d')
        .argParser(parseDuration)
        .default(86_400, '24h'),
    )
    .option('--network <cidr...>', 'only from these networks, such as 10.0.0.0/8 or 2001:db8::/32')
    .option('--subject <subject>', 'the person whose devices these are')
    .action((tenant: string, options: TokenOptions) =>
      callAndPrint(
        io,
        options,
        {
          method: 'POST',
          path: adminPath('tenants', tenant, 'enrolment-tokens'),
          body: {
            uses: options.uses,
            expiresInSeconds: options.ttl,
            ...(options.network === undefined ? {} : { networks: options.network }),
            ...(options.subject === undefined ? {} : { subject: options.subject }),
          },
        },
        created,
        // The token alone on its line, so that it can be copied or piped.
        (answer) => `${answer.token}\n`,
      ),
    );
  return new Command('token').description('enrolment tokens: how devices are let in').addCommand(create);
}
