import type { ColumnType, Generated } from 'kysely';
import type { Bytes, SuccessionReason } from '@tachograph/wire';

/**
 * The registry's tables. Times are milliseconds since the epoch unless a name ends in `_seconds` (POSIX seconds);
 * lists and documents are JSON text; hashes and ranges are bytes, 32 a hash, one after the other.
 *
 * What the topic holds (heads, windows, rejections) is here only as a checkpoint of it: it heals by reading.
 */
export type RegistrySchema = {
  meta: MetaTable;
  tenants: TenantsTable;
  tenant_logs: TenantLogsTable;
  outbox: OutboxTable;
  devices: DevicesTable;
  sightings: SightingsTable;
  heads: HeadsTable;
  windows: WindowsTable;
  cosigned: CosignedTable;
  rejections: RejectionsTable;
  forks: ForksTable;
  partitions: PartitionsTable;
  directives: DirectivesTable;
  enrolment_tokens: EnrolmentTokensTable;
  admin_tokens: AdminTokensTable;
  leases: LeasesTable;
  exposures: ExposuresTable;
  exposure_overflows: ExposureOverflowsTable;
  exposure_positions: ExposurePositionsTable;
};

type MetaTable = { key: string; value: string };

type TenantsTable = {
  id: string;
  name: string;
  parent: string | null;
  /** JSON of the tenant's policy. */
  policy: string;
  created_at: number;
  /** From then on no device enrols. */
  revoked_at: ColumnType<number | null, number | null | undefined>;
};

/** The tenant's own log: which device it is, and the index that its next event gets. */
type TenantLogsTable = { tenant: string; device: string; next_index: number };

/** Events of the tenant's own log that may not be in the topic yet. `leaf` is final: its index was given with it. */
type OutboxTable = { tenant: string; leaf_index: number; leaf: Bytes };

export type DeviceStatus = 'pending_approval' | 'enrolled' | 'quarantined' | 'revoked';

type DevicesTable = {
  tenant: string;
  /** Thumbprint of `public_key`. */
  device: string;
  public_key: Bytes;
  /** Thumbprint of the first device of its line. */
  installation: string;
  installation_label: string | null;
  platform: string | null;
  subject: string | null;
  status: DeviceStatus;
  lease_profile: string | null;
  /** The device that named this one its successor. */
  predecessor: string | null;
  /** Why, as its succession note says; `null` without a predecessor, and where the row is older than this column. */
  succession: ColumnType<SuccessionReason | null, SuccessionReason | null | undefined>;
  /** When its log ended in `log.closed`: it has destroyed its whole cache, and can say nothing more. */
  log_closed_at: ColumnType<number | null, number | null | undefined>;
  enrolled_at: number;
  revoked_at: number | null;
  revocation_reason: string | null;
};

/** What a device said in its newest request note. */
type SightingsTable = {
  tenant: string;
  device: string;
  received_at: number;
  pending_count: number;
  oldest_pending_at: number | null;
  wall_at: number;
  boot: string;
  monotonic_ms: number;
  /** Device's wall clock − ingest's clock. */
  clock_offset_ms: number;
  /** Its habit: the longest recent time between two of its notes. An older one fades. */
  contact_gap_ms: Generated<number>;
  /** Since when it counts as dark; its next note clears it. */
  dark_since: ColumnType<number | null, number | null | undefined>;
};

/** The newest settled state of a device's log. A row may exist for a device that the registry does not know. */
type HeadsTable = {
  tenant: string;
  device: string;
  partition: number;
  size: number;
  range: Bytes;
  /** The device-signed note at `size`; `null` at 0 and after a restore. */
  checkpoint: string | null;
  /** The time that the newest cosignature of this size carries. */
  cosigned_seconds: number;
  /** For a successor: the predecessor's index of the leaf at index 1, and how many follow. */
  carried_from: number | null;
  carried_count: number | null;
  /** When the receipt was signed at which this log was last adopted. */
  adopted_seconds: number | null;
  /** The offset after its newest record in the log, where that is known. */
  end_offset: number | null;
};

/** The leaf hashes of one settled append; a device keeps the newest few thousand. */
type WindowsTable = {
  tenant: string;
  device: string;
  from_size: number;
  to_size: number;
  range: Bytes;
  hashes: Bytes;
};

/** A cosignature that was issued: what makes a leaf's `seen` a bound on its time. */
type CosignedTable = { tenant: string; device: string; size: number; time_seconds: number };

type RejectionsTable = { tenant: string; device: string; leaf_index: number; code: string };

/** Proof that a key signed two histories. */
type ForksTable = {
  tenant: string;
  device: string;
  /** Derived from origin, size and root, as the id of its `log.forked` event is. */
  id: string;
  /** The first index at which the histories differ. */
  leaf_index: number;
  /** The device-signed checkpoint that was accepted first, where it is kept; else ingest's cosigned one. */
  accepted_checkpoint: string;
  submitted_checkpoint: string;
  /** JSON: `[{index, accepted: hash, submitted: hash, leaf: base64}]`, hashes in base64. */
  differing: string;
  detected_at: number;
};

/**
 * Every record below `settled_offset` has been folded into heads. `version` is another one after every change of a
 * head of this partition: it is what writers compare, since a restore moves a head and no offset.
 */
type PartitionsTable = {
  partition: number;
  settled_offset: number;
  version: number;
  /** The mark of the last record before `settled_offset`, by which the log is known again. */
  mark: string | null;
};

type DirectivesTable = {
  id: string;
  tenant: string;
  device: string;
  /** The signed note, as every answer carries it. */
  note: string;
  issued_at: number;
  confirmed_at: number | null;
};

type EnrolmentTokensTable = {
  id: string;
  tenant: string;
  /** SHA-256 of the token. */
  hash: Bytes;
  uses_left: number;
  expires_at: number;
  /** JSON list of CIDRs, or `null` for everywhere. */
  networks: string | null;
  subject: string | null;
  created_at: number;
};

type AdminTokensTable = {
  id: string;
  hash: Bytes;
  /** The tenant that it reaches, with its children; `null` reaches all. */
  tenant: string | null;
  created_at: number;
  /** `null`: until it is taken back. */
  expires_at: ColumnType<number | null, number | null | undefined>;
};

/** What a device was last granted for offline use. Times are upper bounds: see `registry/leases.ts`. */
type LeasesTable = {
  tenant: string;
  device: string;
  blocks_at: number | null;
  wipes_at: number | null;
  /** What the rules decided last: a change of it is an event. */
  decision: string;
};

/**
 * That somebody revealed, exported or held a target on a device: made from the ordered log by the control role.
 * `hash` names actor and target, which are too long for keys.
 */
type ExposuresTable = {
  tenant: string;
  device: string;
  hash: Bytes;
  actor: string;
  email: string | null;
  target_type: string;
  target_id: string;
  target_name: string | null;
  /** Bits of `EXPOSURE_KINDS`. */
  kinds: number;
  /** Bits of `REVOCATION_MARKS`: where its events stood to the revocation of their device. */
  marks: number;
  first_at: number;
  last_at: number;
};

/** A device with more exposures than are kept. */
type ExposureOverflowsTable = { tenant: string; device: string; since: number };

/** Every record below `next_offset` is in `exposures`, but for those that were gone before they could be read. */
type ExposurePositionsTable = { partition: number; next_offset: number; missed: Generated<number> };
