import { join } from 'node:path';
import { HEADER, openEmbeddedLog, type EventLog } from '@tachograph/event-log';
import { eventually } from '../../../../test/support/eventually.ts';
import { startExporter, type Exporter, type RouteInput } from '../../src/index.ts';
import { secretReader } from '../../src/secret.ts';
import { appendTo, keepingLogger } from './surroundings.ts';
import { TestDevice } from './test-device.ts';

const DEVICES = 12;
const EVENTS_AN_APPEND = 25;

/** A log that grows, and the exporter with one route over it. */
export type RunningFeed = {
  readonly log: EventLog;
  readonly exporter: Exporter;
  /** Appends `appends` appends to each device. */
  readonly grow: (appends: number) => Promise<void>;
  /** Resolves when everything in the log is settled. */
  readonly settled: (withinMs?: number) => Promise<void>;
  /** By id, in the order of the log within each device: what a destination should have. */
  readonly expected: () => Promise<Map<string, string[]>>;
  readonly delivered: () => number;
  readonly stop: () => Promise<void>;
};

/** Starts an exporter along `route`, over an embedded log in `folder`. */
export async function startFeed(
  folder: string,
  route: RouteInput,
  env: NodeJS.ProcessEnv = {},
): Promise<RunningFeed> {
  const log = await openEmbeddedLog({ file: join(folder, 'log.sqlite'), pollMs: 20 });
  const devices = await Promise.all(Array.from({ length: DEVICES }, () => TestDevice.make()));
  const exporter = startExporter({
    log,
    routes: [route],
    exportDir: join(folder, 'export'),
    cosignerKeys: async () => [],
    logger: keepingLogger(),
    readSecret: secretReader(env),
  });
  const expected = async (): Promise<Map<string, string[]>> => {
    const ids = new Map<string, string[]>(devices.map(({ origin }) => [origin, []]));
    const { partitions } = await log.describe();
    for (let partition = 0; partition < partitions; partition++) {
      for await (const records of log.readRange(partition, 0, Number.MAX_SAFE_INTEGER)) {
        for (const { headers } of records) ids.get(headers[HEADER.source]!)!.push(headers[HEADER.id]!);
      }
    }
    return ids;
  };
  const delivered = (): number => exporter.status().routes[0]!.counts.records;
  return {
    log,
    exporter,
    expected,
    delivered,
    grow: async (appends) => {
      for (let i = 0; i < appends; i++) {
        for (const device of devices) await appendTo(log, await device.appendEvents(EVENTS_AN_APPEND));
      }
    },
    settled: async (withinMs = 60_000) => {
      const total = devices.reduce((sum, { range }) => sum + range.size, 0);
      await eventually(`${total} settled`, () => (delivered() >= total ? true : null), withinMs);
    },
    stop: async () => {
      await exporter.close();
      await log.close();
    },
  };
}

/** What a destination has, compared with the log: by device, in the order in which it came there. */
export function compared(expected: ReadonlyMap<string, readonly string[]>, stored: readonly string[]) {
  const has = new Set(stored);
  const all = [...expected.values()].flat();
  const firstAt = new Map<string, number>();
  for (const [at, id] of stored.entries()) if (!firstAt.has(id)) firstAt.set(id, at);
  const disordered = [...expected.values()].flatMap((ids) => {
    const places = ids.map((id) => firstAt.get(id) ?? -1);
    return places.filter((place, i) => i > 0 && place < places[i - 1]!);
  });
  return {
    missing: all.filter((id) => !has.has(id)).length,
    strange: stored.filter((id) => !all.includes(id)).length,
    doubled: stored.length - has.size,
    disordered: disordered.length,
  };
}
