import type { NoteSigner } from '@tachograph/wire';
import type { IngestContext } from './context.ts';
import type { LoadedKeys } from './keys/load-keys.ts';
import type { ExposureIndexer } from './exposure/indexer.ts';

/** What the routes of enrolment and of operations are given. */
export type ApiContext = Pick<
  IngestContext,
  'config' | 'clock' | 'registry' | 'logger' | 'metrics' | 'tenantLog'
> & { readonly keys: LoadedKeys };

/** What the control role has beside. */
export type ControlContext = ApiContext & {
  /** The directive key; two while they are exchanged, both of which sign. */
  readonly directives: readonly NoteSigner[];
  /** Brings the index of exposures up to what is settled; `false` where it was stopped before. */
  readonly exposures: Pick<ExposureIndexer, 'catchUp' | 'isWhole'>;
};
