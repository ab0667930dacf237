import type { LogFilterOptions } from '@tachograph/event-log';
import { verifyCosignature, type NoteKey } from '@tachograph/wire';

/** When a known key of ingest cosigned a checkpoint. */
export type ReceiptSeconds = LogFilterOptions['receiptSeconds'];

export function receiptSeconds(cosignerKeys: () => Promise<readonly NoteKey[]>): ReceiptSeconds {
  return async (checkpoint) => {
    const cosigned = await verifyCosignature(checkpoint, checkpoint.note.signatures, await cosignerKeys());
    return cosigned?.timestamp ?? null;
  };
}
