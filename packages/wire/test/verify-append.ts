import {
  appendLeaves,
  bytesEqual,
  leafHash,
  openStatement,
  parseAppend,
  REQUEST_NOTE,
  rootOf,
  verifyNote,
  type Append,
  type Bytes,
  type CompactRange,
  type Fault,
  type NoteKey,
  type Parsed,
} from '../src/index.ts';

/**
 * The pure part of what an ingest checks, in its order: framing, request note, signature, size, root.
 * `edge` is what it has of the log; the key's name is the log's origin.
 */
export async function verifyAppend(body: Bytes, edge: CompactRange, key: NoteKey): Promise<Parsed<Append>> {
  const parsed = parseAppend(body);
  if (!parsed.ok) return parsed;
  const { requestNote, old, checkpoint, leaves } = parsed.value;
  if (checkpoint.origin !== key.name) return refused('ERR_ORIGIN_MISMATCH');
  if (requestNote !== null) {
    const request = await openStatement(REQUEST_NOTE, requestNote, [key]);
    if (!request.ok) return request;
    const { origin, size } = request.value;
    if (origin !== checkpoint.origin || size !== checkpoint.size) return refused('ERR_ORIGIN_MISMATCH');
  }
  if (!(await verifyNote(checkpoint.note, [key]))) return refused('ERR_SIGNATURE');
  if (old !== edge.size) return refused('ERR_SIZE_CONFLICT');
  const root = rootOf(appendLeaves(edge, leaves.map(leafHash)));
  return bytesEqual(root, checkpoint.root) ? parsed : refused('ERR_ROOT_MISMATCH');
}

function refused(code: Fault['code']): Parsed<never> {
  return { ok: false, fault: { code, detail: code } };
}
