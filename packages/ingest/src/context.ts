import type { EventLog } from '@tachograph/event-log';
import type { NoteKey, NoteSigner } from '@tachograph/wire';
import type { Logger } from 'pino';
import type { IngestConfig } from './config.ts';
import type { RefusalReason } from './lane/refusal.ts';
import type { IngestMetrics } from './metrics.ts';
import type { Registry } from './registry/registry.ts';

/** Milliseconds since the epoch. */
export type Clock = () => number;

/** The keys of an ingest node. The directive key's private half is held by the control role alone. */
export type IngestKeys = {
  /** Cosignature keys (0x04), `<authority>/ingest`: one, or two while they rotate. All of them sign. */
  readonly cosigners: readonly NoteSigner[];
  /** Every public cosignature key whose receipts count here, past ones included. */
  readonly cosignerKeys: readonly NoteKey[];
  /** `<authority>/lease` (0x01). */
  readonly lease: NoteSigner;
  /** `<authority>/log` (0x01): the device key of every tenant's own log. */
  readonly log: NoteSigner;
  /** Every key that those logs have had, `log` included. */
  readonly logs: readonly NoteSigner[];
  /** The signed `tachograph keys/v1` note. */
  readonly keysNote: string;
  /** The directive key's vkey. */
  readonly directiveKey: string;
  /** Older keys notes, oldest first, by which a former directive key names its successor. */
  readonly handovers: readonly string[];
};

/** What the append path counts. Implemented by `metrics.ts`; no device or tenant is a label. */
export type AppendMetrics = {
  /** A request ended: `appended`, `check_in`, the code of its refusal, or `failed` where something was thrown. */
  readonly requestEnded: (outcome: string, leaves: number, seconds: number) => void;
  readonly leavesAppended: (accepted: number, rejected: number) => void;
  /** One write of a lane: how many requests shared it, their encoded bytes, and how long it took. */
  readonly laneWrote: (requests: number, bytes: number, seconds: number) => void;
  readonly laneWaiting: (partition: number, bytes: number) => void;
  /** A request was turned away because something is full, away or too slow. */
  readonly requestRefused: (reason: RefusalReason) => void;
  readonly laneRecovered: (partition: number, records: number) => void;
  /** The log was found not to hold any more what was settled: the lane stops, or waits for it to come back. */
  readonly laneLossFound: (partition: number) => void;
  /** How many settled entries the partition does not hold any more. */
  readonly laneLost: (partition: number, entries: number) => void;
  readonly filterAlarm: (kind: 'fork' | 'gap' | 'stale' | 'invalid' | 'broken') => void;
  readonly outboxWaiting: (events: number) => void;
};

/** What every route is given. */
export type IngestContext = {
  readonly config: IngestConfig;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly log: EventLog;
  readonly keys: IngestKeys;
  readonly logger: Logger;
  readonly metrics: IngestMetrics;
  readonly tenantLog: TenantLogWaker;
};

/** Tells the drainer that a committed transaction has left events in the outbox. */
type TenantLogWaker = { readonly wake: () => void };
