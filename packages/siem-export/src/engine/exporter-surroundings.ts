import type { EventLog } from '@tachograph/event-log';
import type { NoteKey } from '@tachograph/wire';
import type { FileSystem } from '../files/file-system.ts';
import type { Clock, Logger } from '../runtime.ts';
import type { ReadSecret } from '../secret.ts';
import type { Sink } from '../sinks/sink.ts';

/** What every route of one exporter shares. */
export type ExporterSurroundings = {
  readonly log: EventLog;
  readonly exportDir: string;
  /** Names this export folder: marks that another exporter of the same group committed are not about our files. */
  readonly instance: string;
  /** The cosignature keys whose receipts count, asked for whenever one is to be verified. */
  readonly cosignerKeys: () => Promise<readonly NoteKey[]>;
  readonly sinks: readonly Sink[];
  readonly readSecret: ReadSecret;
  readonly files: FileSystem;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
};
