import { hash } from 'node:crypto';
import { useSha256 } from '@tachograph/wire';
import { processIo } from './io.ts';
import { runCli } from './run-cli.ts';

// Not awaited at the top level: a module that is still being evaluated keeps Node from answering anything when it
// is imported by another one (seen on Node 20). What rejects is a bug, and ends the process with its stack.
void main();

async function main(): Promise<void> {
  useSha256((message) => hash('sha256', message, 'buffer'));
  process.exitCode = await runCli(process.argv.slice(2), processIo());
}
