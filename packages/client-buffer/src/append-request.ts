import {
  bytesEqual,
  formatAppend,
  LIMITS,
  parseCheckpointNote,
  REQUEST_NOTE,
  rootOf,
  signStatement,
  toBase64Url,
  utf8Text,
  type Bytes,
  type Checkpoint,
} from '@tachograph/wire';
import { advance, leavesFrom } from './core/blocks.ts';
import type { Reading } from './core/lease.ts';
import type { ReplaySession } from './core/replay-session.ts';
import type { LogRow, Position } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';

/** One append as it is sent, and what is needed to judge the answer. */
export type AppendRequest = {
  readonly body: Bytes;
  /** The log as it was when the leaves were read. */
  readonly log: LogRow;
  /** The position that the checkpoint states. */
  readonly end: Position;
  readonly checkpoint: Checkpoint;
  readonly checkpointSource: string;
  /** The request note's nonce, and the clocks when it was made; `null` without a note. */
  readonly note: { readonly nonce: string; readonly sent: Reading } | null;
  /** Which leases and gates there were before the request was made: its own lease counts only while these are the last. */
  readonly epoch: number;
};

/**
 * Reads the receipt's position and the leaves up to `end` in one transaction, recomputes the root, and signs. With
 * `end` at the receipt it is a check-in.
 */
export async function prepareAppend(
  parts: CoreParts,
  session: ReplaySession,
  { end, withNote }: { end: Position; withNote: boolean },
): Promise<AppendRequest | 'moved' | 'damaged'> {
  const { device } = session;
  const { rows, blocks } = await parts.state.read(({ log }) =>
    log === null
      ? null
      : { device, from: log.base.range.size, bytesMax: end.bytes - log.base.bytes + LIMITS.blockBytesMax },
  );
  const { log } = rows;
  if (log?.device !== device || log.base.range.size > end.range.size) return 'moved';
  const old = log.base.range.size;
  if (session.at(old) === null) return 'moved';
  const leaves = leavesFrom(blocks, old)?.slice(0, end.range.size - old) ?? [];
  if (!bytesEqual(rootOf(advance(log.base, leaves).range), rootOf(end.range))) return 'damaged';
  const sealed =
    log.checkpoint?.size === end.range.size ? log.checkpoint : await parts.sealer.sign(device, end.range);
  const checkpoint = parseCheckpointNote(sealed.source);
  if (!checkpoint.ok) return 'damaged';
  const note = withNote ? await requestNote(parts, log, { size: end.range.size, first: leaves[0] }) : null;
  return {
    body: formatAppend({
      requestNote: note?.source ?? null,
      old,
      checkpoint: sealed.source,
      leaves,
    }),
    log,
    end,
    checkpoint: checkpoint.value,
    checkpointSource: sealed.source,
    note,
    epoch: rows.cache?.epoch ?? 0,
  };
}

async function requestNote(
  { adapters, boot, keyring }: CoreParts,
  log: LogRow,
  { size, first }: { size: number; first: Bytes | undefined },
) {
  const nonce = toBase64Url(adapters.random(18));
  const sent: Reading = { wallMs: adapters.clock.wallMs(), boot, monotonicMs: adapters.clock.monotonicMs() };
  const statement = {
    origin: log.origin,
    size,
    nonce,
    wallClock: sent.wallMs,
    boot,
    monotonicMs: sent.monotonicMs,
    pendingCount: log.head.range.size - log.base.range.size,
    oldestPending: first === undefined ? null : timeOf(first),
  };
  const source = await signStatement(REQUEST_NOTE, statement, await keyring.signer(log.device));
  return { nonce, sent, source };
}

/** When the event in a leaf says that it was recorded. */
function timeOf(leaf: Bytes): number | null {
  const written = /"time":"([^"]{24})"/.exec(utf8Text(leaf) ?? '')?.[1];
  const time = Date.parse(written ?? '');
  return Number.isFinite(time) ? time : null;
}
