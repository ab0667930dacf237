import { utf8, type Bytes } from '@tachograph/wire';
import { z } from 'zod';
import { AppendFile } from '../files/append-file.ts';
import { errorCode } from '../files/file-system.ts';
import { probeFile } from '../files/probe-file.ts';
import { EXPORT_LIMITS } from '../limits.ts';
import { defineSink, type Outcome, type SinkDefinition } from './sink.ts';

/** A plain name in the export folder: no path, so that no route can write elsewhere. */
export const fileStem = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'a name of a-z, 0-9, - and _');

const config = z.strictObject({
  type: z.literal('file'),
  /** `<stem>.ndjson`, and `<stem>-<time>.ndjson` once rotated. */
  stem: fileStem,
  /** Rotated before it grows beyond this, except by what is written between two commits: that stays in one file. */
  bytesMax: z.int().positive().default(EXPORT_LIMITS.fileBytesMax),
  /** Looked at when an event comes: the file of a quiet feed stays open. */
  ageSecondsMax: z.int().positive().default(EXPORT_LIMITS.fileAgeSecondsMax),
  /** Rotated files are kept up to this many bytes together, and the newest in any case. */
  keepBytesMax: z.int().nonnegative().default(EXPORT_LIMITS.fileKeepBytesMax),
});

type FileConfig = z.infer<typeof config>;
type FileResponse = { readonly kind: 'written' } | { readonly kind: 'failed'; readonly code: string };

/** Errors that waiting does not cure: somebody has to change the folder or the mount. */
const HALTING = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR']);

/** The parts of the sink, for the tests of what is pure in it. */
export const fileSinkDefinition: SinkDefinition<FileConfig, Bytes, FileResponse> = {
  type: 'file',
  config,
  limits: () => ({ batchEventsMax: 10_000, batchBytesMax: 4 * 1024 * 1024 }),
  parallel: false,
  encode: (batch) => utf8(batch.map(({ line }) => `${line}\n`).join('')),
  classify: (response, batch) => batch.map(() => outcomeOf(response)),
  probe: ({ stem }, { exportDir }) => probeFile(exportDir, stem),
  async connect({ stem, bytesMax, ageSecondsMax, keepBytesMax }, { exportDir, marks, files, clock, logger }) {
    const options = {
      files,
      clock,
      logger,
      folder: exportDir,
      stem,
      bytesMax,
      ageMsMax: ageSecondsMax * 1000,
      keepBytesMax,
    };
    const file = await AppendFile.open(options, marks);
    return {
      async send(bytes) {
        try {
          await file.append(bytes);
          return { kind: 'written' };
        } catch (error) {
          return { kind: 'failed', code: errorCode(error) };
        }
      },
      mark: () => file.mark,
      committed: (mark) => file.committed(mark),
      close: () => file.close(),
    };
  },
};

/**
 * NDJSON on this machine's disk: fsynced before the position moves, rotated by size and age. What a kill left
 * uncommitted is cut at the next start, so the files together hold every event once.
 */
export const fileSink = defineSink(fileSinkDefinition);

function outcomeOf(response: FileResponse): Outcome {
  if (response.kind === 'written') return { kind: 'delivered' };
  const reason = `the file could not be written: ${response.code}`;
  return HALTING.has(response.code) ? { kind: 'halt', reason } : { kind: 'retry', reason };
}
