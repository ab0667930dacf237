import { fileSink } from './file.ts';
import type { Sink } from './sink.ts';

/** Every sink. Adding one is a file, a test that runs the sink contract, and a line here. */
export const SINKS: readonly Sink[] = [fileSink];
