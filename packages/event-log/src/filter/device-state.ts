import { concatBytes, fromBase64, LIMITS, toBase64, type Bytes, type CompactRange } from '@tachograph/wire';
import { formatEdge, parseEdge } from '../edge.ts';

/** What a reader keeps of one device between appends. */
export type DeviceState = {
  /** The device's log as delivered. */
  readonly range: CompactRange;
  /** The first index of each row of the window, ascending; the last row ends at the range's size. */
  readonly rows: readonly number[];
  /** When ingest signed the edge at which this log was last adopted, POSIX seconds: older receipts vouch no more. */
  readonly adoptedSeconds: number | null;
  /** Ids of the newest alarms that were raised, so that each is raised once. */
  readonly raised: readonly string[];
};

/** A part of the window: the range at its first leaf, and the leaf hashes from there on. */
export type WindowRow = { readonly edge: CompactRange; readonly hashes: readonly Bytes[] };

/** A row shorter than this grows by the next append, so that devices which send single events do not fill the head. */
const ROW_LEAVES_MIN = 128;
/** Alarms remembered for each device; more than that many different ones may be raised again. */
const RAISED_MAX = 16;
const HASH_BYTES = 32;

/** What an accepted append makes of the state: the row to write, and the rows that leave the window. */
export type Advance = {
  readonly state: DeviceState;
  readonly row: WindowRow;
  readonly removed: readonly number[];
};

/** Whether the next leaves go into the window's last row. */
export function growsLastRow({ range, rows }: DeviceState): boolean {
  const last = rows.at(-1);
  return last !== undefined && range.size - last < ROW_LEAVES_MIN;
}

/** The state after `leafHashes` went to its end. `lastRow` is the window's last row where {@link growsLastRow}, else `null`. */
export function continued(
  state: DeviceState | null,
  lastRow: WindowRow | null,
  next: CompactRange,
  leafHashes: readonly Bytes[],
  base: CompactRange,
): Advance {
  const rows = [...(state?.rows ?? [])];
  if (lastRow === null) rows.push(base.size);
  const row = { edge: lastRow?.edge ?? base, hashes: [...(lastRow?.hashes ?? []), ...leafHashes] };
  const removed: number[] = [];
  while (rows.length > 1 && next.size - rows[0]! > LIMITS.windowLeavesMax) removed.push(rows.shift()!);
  return { state: { ...kept(state), range: next, rows }, row, removed };
}

/** The state after an edge was adopted that the former state does not lead to: its window begins there. */
export function replaced(
  state: DeviceState | null,
  base: CompactRange,
  next: CompactRange,
  leafHashes: readonly Bytes[],
): Advance {
  const removed = (state?.rows ?? []).filter((from) => from !== base.size);
  const row = { edge: base, hashes: leafHashes };
  return { state: { ...kept(state), range: next, rows: [base.size] }, row, removed };
}

function kept(state: DeviceState | null): Pick<DeviceState, 'adoptedSeconds' | 'raised'> {
  return { adoptedSeconds: state?.adoptedSeconds ?? null, raised: state?.raised ?? [] };
}

export function withRaised(state: DeviceState, id: string): DeviceState {
  return { ...state, raised: [...state.raised, id].slice(-RAISED_MAX) };
}

export function formatDeviceState({ range, rows, raised, adoptedSeconds }: DeviceState): string {
  return JSON.stringify([formatEdge(range), rows, raised, adoptedSeconds]);
}

type StoredState = [edge: string, rows: number[], raised: string[], adoptedSeconds?: number | null];

/** @throws where `text` is not what {@link formatDeviceState} writes: the store is damaged. */
export function parseDeviceState(text: string): DeviceState {
  const [edge, rows, raised, adoptedSeconds = null] = JSON.parse(text) as StoredState;
  return { range: storedEdge(edge), rows, raised, adoptedSeconds };
}

export function formatWindowRow({ edge, hashes }: WindowRow): string {
  return `${formatEdge(edge)} ${toBase64(concatBytes(...hashes))}`;
}

/** @throws where `text` is not what {@link formatWindowRow} writes: the store is damaged. */
export function parseWindowRow(text: string): WindowRow {
  const [edge = '', base64 = ''] = text.split(' ');
  const bytes = fromBase64(base64);
  if (bytes === null || bytes.length % HASH_BYTES !== 0)
    throw new Error('a window row of the filter is damaged');
  const hashes = Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
  return { edge: storedEdge(edge), hashes };
}

function storedEdge(text: string): CompactRange {
  const range = parseEdge(text);
  if (range === null) throw new Error('a stored range of the filter is damaged');
  return range;
}
