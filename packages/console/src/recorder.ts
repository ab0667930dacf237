import { AuditBufferError, type AuditBuffer, type RecordedEntry } from '@tachograph/client-buffer';
import {
  JOURNAL_ENTRIES_MAX,
  journalAdd,
  journalMove,
  journalSettle,
  journalText,
  parseJournal,
  type Journal,
} from './core/journal.ts';
import { ACTOR, ITEMS, type Vault, type VaultItem } from './core/vault.ts';
import type { DemoSchemas } from './events.ts';
import type { ItemAction } from './ui/vault-panel.ts';

const KEY = 'tachograph-demo.journal';

/** Records what the vault does and follows each entry on its road. */
export type Recorder = {
  readonly journal: () => Journal;
  readonly useItem: (action: ItemAction, vault: Vault, item: VaultItem) => RecordedEntry;
  readonly refuseSignIn: () => RecordedEntry;
  /** Reveals `count` times; resolves when all of them are durable. */
  readonly burst: (count: number) => Promise<void>;
  /** Takes over what the newest receipt says, and keeps the list for the next page load. */
  readonly settle: () => void;
};

export function openRecorder(audit: AuditBuffer<DemoSchemas>, onChange: () => void): Recorder {
  let journal = parseJournal(localStorage.getItem(KEY));
  let stored = journal;
  const change = (next: Journal): void => {
    if (next === journal) return;
    journal = next;
    onChange();
  };
  const follow = (entry: RecordedEntry, action: string, target: string): RecordedEntry => {
    const { id } = entry;
    change(journalAdd(journal, { id, action, target, time: new Date().toISOString(), state: 'recording' }));
    entry.durable.then(
      ({ origin, index }) => change(journalMove(journal, id, { state: 'durable', origin, index })),
      (error: unknown) => change(journalMove(journal, id, { state: 'failed', code: codeOf(error) })),
    );
    entry.accepted.then(
      (receipt) => change(journalMove(journal, id, { state: 'accepted', ...receipt })),
      // The same rejection as of `durable`, which ranks as high and came first, or that of the content.
      (error: unknown) => change(journalMove(journal, id, { state: 'rejected', code: codeOf(error) })),
    );
    return entry;
  };
  const record = (action: ItemAction, vault: Vault, item: VaultItem): RecordedEntry =>
    audit.record(`item.${action}`, {
      actor: ACTOR,
      targets: [{ type: 'item', id: item.id, name: item.name }],
      data: { vault: vault.id },
    });

  return {
    journal: () => journal,
    useItem: (action, vault, item) => follow(record(action, vault, item), `item.${action}`, item.name),
    refuseSignIn: () =>
      follow(
        audit.record('signin.attempt', {
          actor: ACTOR,
          outcome: 'failure',
          data: { category: 'credentials_failed', type: 'password' },
        }),
        'signin.attempt',
        'wrong password',
      ),
    burst: async (count) => {
      const durable: Promise<unknown>[] = [];
      for (let i = 0; i < count; i++) {
        const { vault, item } = ITEMS[i % ITEMS.length]!;
        const entry = record('reveal', vault, item);
        // The list shows only the newest: following more would measure the list.
        if (i >= count - JOURNAL_ENTRIES_MAX) follow(entry, 'item.reveal', item.name);
        durable.push(entry.durable);
      }
      await Promise.all(durable);
    },
    settle: () => {
      const { origin, receipt } = audit.status();
      if (origin !== null && receipt !== null) change(journalSettle(journal, origin, receipt));
      if (journal === stored) return;
      stored = journal;
      localStorage.setItem(KEY, journalText(journal));
    },
  };
}

function codeOf(error: unknown): string {
  return error instanceof AuditBufferError ? error.code : 'ERR_INTERNAL';
}
