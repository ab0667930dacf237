import type { NoteSigner } from '@tachograph/wire';
import type { IngestContext } from './context.ts';
import type { LoadedKeys } from './keys/load-keys.ts';

/** What the routes of enrolment and of operations are given. */
export type ApiContext = Pick<
  IngestContext,
  'config' | 'clock' | 'registry' | 'logger' | 'metrics' | 'tenantLog'
> & { readonly keys: LoadedKeys };

/** What the control role has beside: the directive key. */
export type ControlContext = ApiContext & { readonly directive: NoteSigner };
