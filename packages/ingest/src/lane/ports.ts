import type { EventLog } from '@tachograph/event-log';
import type { CompactRange, NoteKey, Origin } from '@tachograph/wire';
import type { Logger } from 'pino';
import type { AppendMetrics, Clock } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import type { Timing } from '../timing.ts';
import type { WaitingBytes } from './waiting-bytes.ts';

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
  readonly timing: Timing;
  /** What all lanes of this process may hold. */
  readonly waiting: WaitingBytes;
};

/**
 * The log ends before what was settled, or holds other records there: it was truncated or made anew, and nothing may
 * be cosigned.
 */
export class LogTruncatedError extends Error {
  constructor(partition: number, what: string) {
    super(`partition ${partition} ${what}`);
    this.name = 'LogTruncatedError';
  }
}
