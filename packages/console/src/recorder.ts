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
import { ACTOR } from './core/vault.ts';
import type { CachedItem } from './core/vault-state.ts';
import type { DemoSchemas } from './events.ts';
import type { ItemAction } from './ui/vault-panel.ts';

const KEY = 'tachograph-demo.journal';

/** What an event says of an item. `scope` is its vault. */
type UsedItem = { readonly id: string; readonly name: string; readonly scope: string };

/** Records what the vault does and follows each entry on its road. */
export type Recorder = {
  readonly journal: () => Journal;
  readonly useItem: (action: ItemAction, item: UsedItem) => RecordedEntry;
  readonly refuseSignIn: () => RecordedEntry;
  /** Records `count` reveals of these items in turn; resolves when all of them are durable. */
  readonly burst: (count: number, items: readonly CachedItem[]) => Promise<void>;
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
  const record = (action: ItemAction, { id, name, scope }: UsedItem): RecordedEntry =>
    audit.record(`item.${action}`, {
      actor: ACTOR,
      targets: [{ type: 'item', id, name }],
      data: { vault: scope },
    });

  return {
    journal: () => journal,
    useItem: (action, item) => follow(record(action, item), `item.${action}`, item.name),
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
    burst: async (count, items) => {
      const durable: Promise<unknown>[] = [];
      for (let i = 0; i < count; i++) {
        const { id, scope, summary } = items[i % items.length] ?? NO_ITEM;
        const item = { id, scope, name: summary?.name ?? id };
        const entry = record('reveal', item);
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

/** What is revealed where the cache is empty: recording needs no vault. */
const NO_ITEM: CachedItem = { id: 'i_0', scope: 'v_0', cipher: '', summary: null };

function codeOf(error: unknown): string {
  return error instanceof AuditBufferError ? error.code : 'ERR_INTERNAL';
}
