import { readFile } from 'node:fs/promises';
import { parseCheckpointNote, verifyCosignature, type CheckpointNote, type NoteKey } from '@tachograph/wire';
import { CliFailure } from '../cli-failure.ts';
import { errorMessage } from '../error-code.ts';

/** Between the last signature line of a note and the first line of the next one. */
const NEXT_NOTE = /(?<=^— [^\n]*\n)(?=[^—\n])/m;

/**
 * Checkpoints that ingest has cosigned, as `GET /v1/logs/{tenant}/{device}/checkpoint` answers them, one after the
 * other: the newest of each log.
 *
 * @throws CliFailure naming the one that is none, or that no key of ingest has signed
 */
export async function readCheckpoints(
  file: string,
  cosigners: readonly NoteKey[],
): Promise<Map<string, CheckpointNote>> {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${errorMessage(error)}`, [], { cause: error });
  }
  const newest = new Map<string, CheckpointNote>();
  for (const [i, note] of text.split(NEXT_NOTE).entries()) {
    const parsed = parseCheckpointNote(note);
    const checkpoint = parsed.ok ? parsed.value : null;
    const cosigned =
      checkpoint === null ? null : await verifyCosignature(checkpoint, checkpoint.note.signatures, cosigners);
    if (checkpoint === null || cosigned === null) {
      throw new CliFailure(
        `Checkpoint ${i + 1} of ${file} is none that a known key of ingest has cosigned.`,
        ['They are answers of GET /v1/logs/{tenant}/{device}/checkpoint; the keys are named with --keys.'],
      );
    }
    const known = newest.get(checkpoint.origin);
    if (known === undefined || known.size < checkpoint.size) newest.set(checkpoint.origin, checkpoint);
  }
  return newest;
}
