import type { GroupReader, StateChanges } from '../port.ts';
import type { LeafWindow } from './decide.ts';
import {
  formatDeviceState,
  formatWindowRow,
  growsLastRow,
  parseDeviceState,
  parseWindowRow,
  type Advance,
  type DeviceState,
  type WindowRow,
} from './device-state.ts';

/** A device in memory. `rows` are those that changed since the last batch ended; `null` removes one. */
type Device = { state: DeviceState | null; lastRow: WindowRow | null; rows: Map<number, WindowRow | null> };

type Pending = { readonly value: string | null; readonly next: number };

/**
 * The devices of one partition as the filter knows them: newest in memory, then what is not committed yet, then
 * the group's stored state. What is not committed is never dropped, so the memory can forget any device.
 */
export class DeviceStore {
  readonly #load: (keys: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly #devicesMax: number;
  /** In order of use: a `Map` keeps the order of insertion. */
  readonly #devices = new Map<string, Device>();
  readonly #changed = new Set<string>();
  readonly #pending = new Map<string, Pending>();

  constructor(partition: number, reader: Pick<GroupReader, 'load'>, devicesMax: number) {
    this.#load = (keys) => reader.load(partition, keys);
    this.#devicesMax = devicesMax;
  }

  async state(origin: string): Promise<DeviceState | null> {
    return (await this.#device(origin)).state;
  }

  /** The window's last row, where it grows with the next leaves. */
  async lastRow(origin: string): Promise<WindowRow | null> {
    const device = await this.#device(origin);
    if (device.state === null || !growsLastRow(device.state)) return null;
    const from = device.state.rows.at(-1);
    if (from !== undefined) device.lastRow ??= (await this.#rows(origin, device, [from]))[0]!;
    return device.lastRow;
  }

  /** The window from the row on that holds leaf `index`, or from its beginning where that is later. */
  async window(origin: string, index: number): Promise<LeafWindow> {
    const device = await this.#device(origin);
    const starts = device.state?.rows ?? [];
    const first = Math.max(
      0,
      starts.findLastIndex((from) => from <= index),
    );
    const rows = await this.#rows(origin, device, starts.slice(first));
    if (rows[0] === undefined) throw new Error(`the window of ${origin} is missing from the state`);
    return { from: rows[0].edge, hashes: rows.flatMap(({ hashes }) => hashes) };
  }

  async advance(origin: string, { state, row, removed }: Advance): Promise<void> {
    const device = await this.#device(origin);
    for (const from of removed) device.rows.set(from, null);
    device.rows.set(row.edge.size, row);
    device.state = state;
    // A full row is not needed again before a duplicate comes: memory is for many devices.
    device.lastRow = growsLastRow(state) ? row : null;
    this.#changed.add(origin);
  }

  async replaceState(origin: string, state: DeviceState): Promise<void> {
    (await this.#device(origin)).state = state;
    this.#changed.add(origin);
  }

  /** What changed since the last call, to be stored with the position `next`. */
  takeChanges(next: number): StateChanges {
    const changes = new Map<string, string | null>();
    for (const origin of this.#changed) {
      const device = this.#devices.get(origin)!;
      if (device.state !== null) changes.set(headKey(origin), formatDeviceState(device.state));
      for (const [from, row] of device.rows)
        changes.set(rowKey(origin, from), row === null ? null : formatWindowRow(row));
      device.rows.clear();
    }
    this.#changed.clear();
    for (const [key, value] of changes) this.#pending.set(key, { value, next });
    this.#forgetOldest();
    return changes;
  }

  /** Everything up to the position `next` is committed. */
  committed(next: number): void {
    for (const [key, pending] of this.#pending) if (pending.next <= next) this.#pending.delete(key);
  }

  async #device(origin: string): Promise<Device> {
    let device = this.#devices.get(origin);
    if (device === undefined) {
      const head = (await this.#values([headKey(origin)])).get(headKey(origin));
      const state = head === undefined ? null : parseDeviceState(head);
      device = { state, lastRow: null, rows: new Map() };
    } else {
      this.#devices.delete(origin);
    }
    this.#devices.set(origin, device);
    return device;
  }

  async #rows(origin: string, device: Device, starts: readonly number[]): Promise<WindowRow[]> {
    const stored = starts.filter((from) => !device.rows.has(from)).map((from) => rowKey(origin, from));
    const values = await this.#values(stored);
    return starts.map((from) => {
      const row = device.rows.get(from);
      if (row) return row;
      const value = values.get(rowKey(origin, from));
      if (value === undefined) throw new Error(`row ${from} of the window of ${origin} is missing`);
      return parseWindowRow(value);
    });
  }

  async #values(keys: readonly string[]): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    const stored: string[] = [];
    for (const key of keys) {
      const pending = this.#pending.get(key);
      if (pending === undefined) stored.push(key);
      else if (pending.value !== null) values.set(key, pending.value);
    }
    if (stored.length > 0) for (const [key, value] of await this.#load(stored)) values.set(key, value);
    return values;
  }

  #forgetOldest(): void {
    for (const origin of this.#devices.keys()) {
      if (this.#devices.size <= this.#devicesMax) return;
      this.#devices.delete(origin);
    }
  }
}

function headKey(origin: string): string {
  return `h|${origin}`;
}

function rowKey(origin: string, from: number): string {
  return `w|${origin}|${from}`;
}
