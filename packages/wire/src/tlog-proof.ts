import { fromBase64, toBase64 } from './base64.ts';
import type { Bytes } from './bytes.ts';
import { parseCheckpointNote, parseDecimal, type CheckpointNote } from './checkpoint.ts';
import { need, parsing, refuse, type Parsed } from './fault.ts';
import { verifyInclusion } from './tree.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';

/** That one leaf stands in a log, checkable offline (C2SP tlog-proof). */
export type TlogProof = {
  readonly extra?: Bytes;
  readonly index: number;
  readonly hashes: readonly Bytes[];
  readonly checkpoint: CheckpointNote;
};

export function formatTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const extraLine = extra === undefined ? '' : `extra ${toBase64(extra)}\n`;
  const hashLines = hashes.map((hash) => `${toBase64(hash)}\n`).join('');
  return `${HEADER}\n${extraLine}index ${index}\n${hashLines}\n${checkpoint.source}`;
}

export function parseTlogProof(source: string): Parsed<TlogProof> {
  return parsing(() => {
    // The checkpoint follows the first empty line; nothing before it can be empty.
    const split = source.indexOf('\n\n');
    if (split < 0) refuse('ERR_PROOF', 'a proof ends with an empty line and a checkpoint');
    const lines = source.slice(0, split).split('\n');
    if (lines.shift() !== HEADER) refuse('ERR_PROOF', `a proof starts with "${HEADER}"`);
    const extra = lines[0]?.startsWith('extra ')
      ? proofBytes(lines.shift()!.slice('extra '.length), 'extra')
      : undefined;
    const indexLine = lines.shift();
    if (!indexLine?.startsWith('index '))
      return refuse('ERR_PROOF', 'the index line is missing', { field: 'index' });
    const index = need(parseDecimal(indexLine.slice('index '.length), 'index'));
    const hashes = lines.map((line) => proofBytes(line, 'hash', 32));
    const checkpoint = need(parseCheckpointNote(source.slice(split + 2)));
    return { ...(extra === undefined ? {} : { extra }), index, hashes, checkpoint };
  });
}

function proofBytes(text: string, field: string, length?: number): Bytes {
  const bytes = fromBase64(text);
  if (bytes === null || (length !== undefined && bytes.length !== length)) {
    return refuse(
      'ERR_PROOF',
      `${field} is canonical base64${length === undefined ? '' : ` of ${length} bytes`}`,
      { field },
    );
  }
  return bytes;
}

/** Step 4 of "Verifying a tlog proof". The checkpoint's signatures (steps 2 and 3) are the caller's. */
export function proofIncludes(proof: TlogProof, leaf: Bytes): boolean {
  return verifyInclusion(leaf, proof.index, proof.checkpoint.size, proof.checkpoint.root, proof.hashes);
}
