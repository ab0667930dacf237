import type { Authority, TenantId } from '@tachograph/wire';
import type { Adapters } from './adapters.ts';
import type { EncodeOwn } from './core/own-leaves.ts';
import type { Problem } from './core/rows.ts';
import type { Keyring } from './keyring.ts';
import type { Sealer } from './sealer.ts';
import type { SharedState } from './shared-state.ts';
import type { Step } from './step.ts';
import type { Trust } from './trust.ts';

/** What the parts of one open buffer share. */
export type CoreParts = {
  readonly adapters: Adapters;
  readonly authority: Authority;
  readonly tenant: TenantId;
  readonly state: SharedState;
  readonly keyring: Keyring;
  readonly sealer: Sealer;
  readonly trust: Trust;
  /** Id of this page: the origin of its monotonic clock, and the name on its claims. */
  readonly boot: string;
  /** An event that the library itself writes. */
  readonly libraryLeaf: EncodeOwn;
  /** Leaves were committed: they are to be signed and sent. */
  readonly committed: () => void;
  /** Asks ingest soon how things stand: a lease may be had now. */
  readonly checkIn: () => void;
  /** Takes note of how an exchange with ingest ended. */
  readonly exchanged: (step: Step) => void;
  /** Runs work in the background: its failure is reported, and tried again on the next occasion. */
  readonly quietly: (work: Promise<unknown>) => void;
  /** Tells the app what went wrong, or (`null`) that nothing is wrong any more. */
  readonly report: (problem: Problem | null) => void;
};
