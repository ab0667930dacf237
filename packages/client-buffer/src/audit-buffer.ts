import type { Actor, ErrorCode, Outcome, Target } from '@tachograph/wire';
import type { DataOf, EventDefinitions, EventSchemas } from './define-events.ts';
import type { CacheHooks, CacheKeyAccess, CacheScope, OfflineAccess, PurgeStatus } from './offline-types.ts';

/** What an app configures. */
export type BufferConfig<Schemas extends EventSchemas = EventSchemas> = {
  /** Base address of the ingest service, e.g. `https://audit.example.com`. */
  readonly endpoint: string;
  /** Schema-less name of the deployment, e.g. `audit.example.com`. It is signed, and may differ from the address. */
  readonly authority: string;
  /** The client organisation: `[a-z0-9][a-z0-9-]{0,62}`. */
  readonly tenant: string;
  /** Pins the directive key (one vkey, or several while it is exchanged); else the first one served is pinned. */
  readonly directiveKey?: string | readonly string[];
  readonly events: EventDefinitions<Schemas>;
  /**
   * What happens at the cap. `gap`: the event is refused and a signed `buffer.gap` declares how many were.
   * `reject`: `durable` rejects with ERR_BUFFER_FULL, for apps that fail closed. Default `gap`.
   */
  readonly whenFull?: 'gap' | 'reject';
  /** Cap on the bytes that wait for a receipt: 64 KiB or more. Default 64 MiB. */
  readonly bytesMax?: number;
  /** Written into every event. */
  readonly app?: { readonly name: string; readonly version?: string };
  /** How people recognise this installation, e.g. a machine's name. Told at enrolment. */
  readonly installation?: { readonly label?: string; readonly platform?: string };
  /** How the library destroys and lists what the app caches. Needed wherever the app keeps secrets for offline use. */
  readonly cache?: CacheHooks;
};

/** Everything about an event but its action. `outcome` is `success` unless it is said otherwise. */
export type EventDetails<Data> = {
  readonly actor: Actor;
  readonly targets?: readonly Target[];
  readonly outcome?: Outcome;
  readonly session?: string;
} & (Record<string, never> extends Data ? { readonly data?: Data } : { readonly data: Data });

/** Where an entry stands: `origin` names the log, `index` its place. */
export type EntryPlace = { readonly origin: string; readonly index: number };

/** A place below a verified receipt; `receivedBefore` is the receipt's time in POSIX seconds. */
export type EntryReceipt = EntryPlace & { readonly receivedBefore: number };

/** Both promises are made when they are first asked for, and ignoring either is safe. */
export type RecordedEntry = {
  /** UUIDv7 of the event. */
  readonly id: string;
  /** Committed to disk and part of the signed log: also offline, also before enrolment. */
  readonly durable: Promise<EntryPlace>;
  /** A receipt over this entry verified; rejects with ERR_CONTENT_REJECTED where ingest kept it but not as an event. */
  readonly accepted: Promise<EntryReceipt>;
};

export type BufferState =
  /** The store is being opened; recording works and waits. */
  | 'opening'
  /** Not enrolled: everything waits and counts. */
  | 'recording-only'
  | 'enrolling'
  | 'pending-approval'
  /** The latest exchange with ingest succeeded. */
  | 'online'
  /** The latest exchange failed, or none was tried yet. */
  | 'offline'
  /** Ingest answers, and refuses this device; `problem` says why. The queue is kept. */
  | 'refused'
  | 'revoked'
  /** This browser stores nothing: `durable` rejects, uploading still works while the page lives. */
  | 'memory-only'
  /** Nothing is recorded; `problem` says why. */
  | 'failed'
  | 'closed';

/**
 * Counts of entries, the library's own included, since this store was made. They reconcile:
 * `recorded = waiting + durable + gap` and `durable = accepted + pending + lost`.
 */
export type Ledger = {
  /** Handed to `record()`, or written by the library. */
  readonly recorded: number;
  /** In memory in this tab, on their way to disk. */
  readonly waiting: number;
  /** Committed to disk, ever. */
  readonly durable: number;
  /** Below a verified receipt. */
  readonly accepted: number;
  /** Of those, kept by ingest but refused as content. */
  readonly rejected: number;
  /** On disk without a receipt. */
  readonly pending: number;
  /** Refused because of the cap or a failing store. */
  readonly gap: number;
  /** Found damaged in the store. */
  readonly lost: number;
  /** Bytes of the pending entries. */
  readonly pendingBytes: number;
};

export type BufferStatus = {
  readonly state: BufferState;
  readonly ledger: Ledger;
  /** Name of the device's log, once there is one. */
  readonly origin: string | null;
  /**
   * The newest receipt: everything below `size` was durably appended before `time` (POSIX seconds). `checkpoint` is the
   * cosigned note that says so, for whoever wants to check it without this library.
   */
  readonly receipt: { readonly size: number; readonly time: number; readonly checkpoint: string } | null;
  /** Which cached secrets are refused because of a purge; drop them from memory when this appears. `null`: none. */
  readonly purge: PurgeStatus | null;
  /** The latest thing that went wrong and has not been put right since. */
  readonly problem: { readonly code: ErrorCode; readonly detail: string } | null;
};

export type Credential = { readonly type: 'token'; readonly token: string };

export type EnrolmentStatus = 'enrolled' | 'pending_approval' | 'quarantined' | 'revoked';

/** An open buffer. All methods may be called at any time, also offline and before enrolment. */
export type AuditBuffer<Schemas extends EventSchemas = EventSchemas> = {
  /**
   * Records one event and returns at once.
   * @throws AuditBufferError ERR_EVENT_UNKNOWN, ERR_EVENT_DATA, ERR_EVENT_INVALID, ERR_EVENT_TOO_LARGE: bugs of the
   *   calling code, thrown where they are made. What the environment does wrong rejects `durable`.
   * @example
   * await audit.record('item.reveal', { actor: { id: 'u_7' }, data: { vault: 'v_1' } }).durable;
   */
  record<Action extends keyof Schemas & string>(
    action: Action,
    details: EventDetails<DataOf<Schemas, Action>>,
  ): RecordedEntry;
  /**
   * Makes this device known to ingest. Safe to repeat: a device that is known gets its present state.
   * @throws AuditBufferError ERR_NETWORK when no valid answer came (try again), or the code of the refusal
   */
  enrol(credential: Credential): Promise<EnrolmentStatus>;
  /** Calls `listener` with the present status and after every change, until the answer is called. */
  subscribe(listener: (status: BufferStatus) => void): () => void;
  status(): BufferStatus;
  /**
   * Uploads now. Resolves once everything recorded before the call has a verified receipt.
   * @throws AuditBufferError with the code of what stands in the way; nothing is lost by it
   */
  flush(): Promise<void>;
  /**
   * Whether cached secrets of `scope` may be used offline now, and until when. Ask before each use: the answer is read
   * from the store, so that it holds in every tab.
   * @throws AuditBufferError ERR_CONFIG for a malformed scope; ERR_STORAGE where the store fails, which is a no
   * @example
   * const access = await audit.offlineAccess({ scope: 'v_1' });
   * if (!access.allowed) showSignIn(access.reason);
   */
  offlineAccess(request: CacheScope): Promise<OfflineAccess>;
  /**
   * The key to encrypt what the app caches under `scope`, made when it is first asked for and granted under the same
   * conditions as {@link offlineAccess}. A purge destroys it, in the transaction that raises the gate: what was encrypted
   * with it is unreadable from then on, also where the page dies before the app's own hooks have run.
   * @throws AuditBufferError as `offlineAccess`
   * @example
   * const access = await audit.cacheKey({ scope: 'v_1' });
   * if (access.allowed) await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, access.key, secret);
   */
  cacheKey(request: CacheScope): Promise<CacheKeyAccess>;
  /**
   * Records what is in the cache now (`cache.inventory`), if it is not what was recorded last. Call it when the app has
   * filled its cache; the library itself asks at opening and every quarter of an hour. Without a hook it does nothing.
   * @throws whatever the hook throws
   */
  reportInventory(): Promise<void>;
  /** Commits what waits and lets go of the store. Entries stay; opening again goes on. */
  close(): Promise<void>;
};
