export { runCli } from './run-cli.ts';
export { processIo, type Io } from './io.ts';
