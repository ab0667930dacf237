import { utf8 } from '@tachograph/wire';
import type { ExportEvent } from '../export-event.ts';
import type { AppendFile } from '../files/append-file.ts';

/** An event that did not reach the destination as an event, and why. */
export type DeadLetter = {
  readonly event: ExportEvent;
  /** Who refused it: ingest its content, the format, or the destination. */
  readonly refusedBy: 'content' | 'format' | 'sink';
  readonly reason: string;
};

/** One line: everything that is needed to look at it, and to send it once more. Pure. */
function formatDeadLetter({ event, refusedBy, reason }: DeadLetter, route: string, time: string): string {
  const { headers, value, partition, offset } = event;
  return JSON.stringify({
    time,
    route,
    refusedBy,
    reason,
    partition,
    offset,
    headers,
    data_base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
  });
}

/** Appends `letters` durably. @throws where the file cannot be written; then none of them counts. */
export async function bury(
  file: AppendFile,
  letters: readonly DeadLetter[],
  route: string,
  time: string,
): Promise<void> {
  const lines = letters.map((letter) => `${formatDeadLetter(letter, route, time)}\n`);
  await file.append(utf8(lines.join('')));
}
