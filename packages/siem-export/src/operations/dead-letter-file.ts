import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fromBase64, leafHash } from '@tachograph/wire';
import { z } from 'zod';
import { SUBJECT_HEADER, type ExportEvent } from '../export-event.ts';
import { errorCode, nodeFiles } from '../files/file-system.ts';
import { rotatedFiles } from '../files/rotated-files.ts';

/** A dead letter as it stands in its file. */
export type StoredLetter = {
  /** The same for the same line: names it on the command line. */
  readonly id: string;
  /** RFC 3339: when it was written. */
  readonly time: string;
  readonly route: string;
  readonly refusedBy: 'content' | 'format' | 'sink';
  readonly reason: string;
  readonly event: ExportEvent;
};

const line = z.object({
  time: z.string(),
  route: z.string(),
  refusedBy: z.enum(['content', 'format', 'sink']),
  reason: z.string(),
  partition: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  headers: z.record(z.string(), z.string()),
  data_base64: z.string(),
});

const done = z.object({ id: z.string() });

/**
 * The dead letters of one file and its rotated ones. What was delivered later is written down beside them, since the
 * exporter that writes the file may be running.
 */
export class DeadLetterFile {
  readonly #folder: string;
  readonly #stem: string;

  constructor(folder: string, stem: string) {
    this.#folder = folder;
    this.#stem = stem;
  }

  /** Letters that were not delivered later, oldest first. */
  async *open(): AsyncGenerator<StoredLetter> {
    const delivered = new Set<string>();
    for await (const text of linesOf(this.#donePath)) delivered.add(done.parse(JSON.parse(text)).id);
    const rotated = await rotatedFiles(nodeFiles, this.#folder, this.#stem);
    // Their names sort by age.
    for (const name of [...rotated.map((file) => file.name).sort(), `${this.#stem}.ndjson`]) {
      for await (const text of linesOf(join(this.#folder, name))) {
        const letter = letterOf(text);
        if (letter !== null && !delivered.has(letter.id)) yield letter;
      }
    }
  }

  /** Writes down that these are delivered. */
  async close(letters: readonly StoredLetter[], time: string): Promise<void> {
    const lines = letters.map(({ id }) => `${JSON.stringify({ id, time })}\n`);
    await appendFile(this.#donePath, lines.join(''), { mode: 0o600, flush: true });
  }

  get #donePath(): string {
    return join(this.#folder, `${this.#stem}.delivered.ndjson`);
  }
}

/** `null` for a line that is still being written, or that was cut. */
function letterOf(text: string): StoredLetter | null {
  const parsed = line.safeParse(parseJson(text));
  const value = parsed.success ? fromBase64(parsed.data.data_base64) : null;
  if (!parsed.success || value === null) return null;
  const { time, route, refusedBy, reason, headers, partition, offset } = parsed.data;
  const hash = SUBJECT_HEADER in headers ? null : leafHash(value);
  const event = { headers, value, leafHash: hash, partition, offset };
  const id = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { id, time, route, refusedBy, reason, event };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The one way `parse` fails is the input, and `undefined` is no letter.
    return undefined;
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path);
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
      if (text !== '') yield text;
    }
  } catch (error) {
    // Nothing was ever refused, or nothing was delivered later.
    if (errorCode(error) !== 'ENOENT') throw error;
  } finally {
    stream.destroy();
  }
}
