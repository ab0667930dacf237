import { publicJwk, RESTORE_NOTE, rootOf, signStatement, toBase64 } from '@tachograph/wire';
import type { LogRow } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';
import { exchangeJson, isSetback } from './exchange.ts';
import { PROGRESS, networkSetback, type Step } from './step.ts';

/**
 * Brings back to ingest what it has lost: its own cosigned checkpoint and the range that leads to its root (PROTOCOL,
 * Restoring). Nothing is deleted here.
 */
export async function restoreIngest(parts: CoreParts, log: LogRow): Promise<Step> {
  if (log.receipt === null) return networkSetback('there is no receipt to restore from');
  const { range } = log.base;
  const signer = await parts.keyring.signer(log.device);
  const statement = { origin: log.origin, size: range.size, root: rootOf(range) };
  const answer = await exchangeJson(parts, `/v1/logs/${parts.tenant}/${log.device}/restore`, {
    publicKey: publicJwk(log.publicKey),
    checkpoint: log.receipt.source,
    range: range.hashes.map(toBase64),
    proof: await signStatement(RESTORE_NOTE, statement, signer),
  });
  return isSetback(answer) ? answer : PROGRESS;
}
