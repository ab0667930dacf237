import {
  AppendParser,
  EMPTY_ROOT,
  formatAppend,
  formatCheckpoint,
  REQUEST_NOTE,
  signNote,
  signStatement,
  utf8,
  type Append,
  type Bytes,
  type Parsed,
} from '../src/index.ts';
import { deviceOf } from './support.ts';

/** The device whose log the appends below continue: from 4 leaves to 7, but for the check-in, which brings none. */
const device = await deviceOf(1);
export const { origin } = device;
export const requestNote = await signStatement(
  REQUEST_NOTE,
  {
    origin,
    size: 7,
    nonce: 'n',
    wallClock: 0,
    boot: 'b',
    monotonicMs: 1.5,
    pendingCount: 3,
    oldestPending: null,
  },
  device,
);
export const checkpointOf = (size: number) =>
  signNote(formatCheckpoint({ origin, size, root: EMPTY_ROOT }), device);
export const checkpoint = await checkpointOf(7);
export const leaves = ['{"a":1}', '', '{"b":"\r"}'].map(utf8);
export const good = formatAppend({ requestNote, old: 4, checkpoint, leaves });
export const bare = formatAppend({ old: 4, checkpoint, leaves });
export const checkIn = formatAppend({ requestNote, old: 7, checkpoint, leaves: [] });

/** The parse of `body`, cut at `cuts`, with one buffer for all pieces, as a reader of a socket has. */
export function parseInPieces(body: Bytes, cuts: readonly number[]): Parsed<Append> {
  const parser = new AppendParser();
  const buffer = new Uint8Array(body.length);
  const ends = [...cuts.map((cut) => cut % (body.length + 1)), body.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    const piece = buffer.subarray(0, end - start);
    piece.set(body.subarray(start, end));
    const pushed = parser.push(piece);
    buffer.fill(0xee);
    if (!pushed.ok) return pushed;
    start = end;
  }
  return parser.end();
}
