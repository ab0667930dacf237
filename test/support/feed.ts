import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

/** One line of the exported feed, in the format `cloudevents`. */
export type FeedLine = {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly sequence: string;
  /** Where the event stands to the revocation of its device. */
  readonly revocation?: string;
  readonly devicestatus?: string;
  readonly time?: string;
  readonly data?: {
    readonly id: string;
    readonly action: string;
    readonly targets?: readonly { readonly type: string; readonly id: string }[];
    readonly data?: Record<string, unknown>;
  };
};

/** Everything that the exporter has written, parsed. */
export async function readFeed(dataDir: string): Promise<FeedLine[]> {
  return (await readFeedLines(dataDir)).map((line) => JSON.parse(line) as FeedLine);
}

/** The lines of the feed as they are written, oldest file first. A line that is not whole yet is left out. */
export async function readFeedLines(dataDir: string): Promise<string[]> {
  const dir = join(dataDir, 'export');
  const names = (await readdir(dir)).filter((name) => /^events.*\.ndjson$/.test(name));
  // Rotated files carry their time in the name; the open one has none and comes last.
  names.sort((a, b) => (a === 'events.ndjson' ? 1 : b === 'events.ndjson' ? -1 : a.localeCompare(b)));
  const texts = await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')));
  return texts.join('').split('\n').slice(0, -1);
}

/** What the feed has of the log `source`, once that is at least `count` entries. */
export async function feedOf(dataDir: string, source: string, count: number): Promise<FeedLine[]> {
  return eventually(`${count} entries of ${source} in the feed`, async () => {
    const own = (await readFeed(dataDir)).filter((line) => line.source === source);
    return own.length >= count ? own : null;
  });
}

/** The indices of each log in the order in which the feed has them. */
export function indicesBySource(feed: readonly FeedLine[]): Map<string, number[]> {
  const indices = new Map<string, number[]>();
  for (const line of feed) {
    indices.set(line.source, [...(indices.get(line.source) ?? []), Number(line.sequence)]);
  }
  return indices;
}
