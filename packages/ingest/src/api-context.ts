import type { NoteSigner } from '@tachograph/wire';
import type { IngestConfig } from './config.ts';
import type { Clock } from './context.ts';
import type { LoadedKeys } from './keys/load-keys.ts';
import type { IngestMetrics } from './metrics.ts';
import type { Registry } from './registry/registry.ts';

/** What enrolment and the control API are given. */
export type ApiContext = {
  readonly config: Pick<IngestConfig, 'authority' | 'adminToken' | 'trustedProxies' | 'enrolmentsPerMinute'>;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly keys: LoadedKeys;
  /** The directive key, where this process has the control role. */
  readonly directive: NoteSigner | null;
  readonly metrics: IngestMetrics;
  /** Tells the drainer that a committed transaction has left events in the outbox. */
  readonly wakeOutbox: () => void;
};
