import type { EventLog } from '@tachograph/event-log';
import type { CompactRange, NoteKey, Origin } from '@tachograph/wire';
import type { Logger } from 'pino';
import type { AppendMetrics, Clock } from '../context.ts';
import type { Registry } from '../registry/registry.ts';

/** What a lane works with. */
export type LanePorts = {
  readonly authority: string;
  readonly log: EventLog;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: AppendMetrics;
  /** The checkpoint of `range` with ingest's cosignature of this time, as a note. */
  readonly cosigned: (origin: Origin, range: CompactRange, timeSeconds: number) => Promise<string>;
  /** Every key whose cosignatures count here. */
  readonly cosignerKeys: readonly NoteKey[];
  readonly appendTimeoutMs: number;
  readonly laneBytesMax: number;
};

/** The log ends before what was settled: it was truncated or made anew, and nothing may be cosigned. */
export class LogTruncatedError extends Error {
  constructor(partition: number, settled: number, next: number) {
    super(`partition ${partition} ends at ${next}, but was settled up to ${settled}`);
  }
}
