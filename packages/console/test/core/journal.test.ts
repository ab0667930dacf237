import { describe, expect, it } from '@jest/globals';
import {
  journalAdd,
  journalMove,
  journalSettle,
  journalText,
  JOURNAL_ENTRIES_MAX,
  oldestWaiting,
  parseJournal,
  type Journal,
  type JournalEntry,
} from '../../src/core/journal.ts';

const ORIGIN = 'localhost/demo/device';

function entry(id: string, more: Partial<JournalEntry> = {}): JournalEntry {
  const time = `2026-11-23T10:00:0${id.length}.000Z`;
  return { id, action: 'item.reveal', target: 'Payroll', time, state: 'recording', ...more };
}
function durable(id: string, index: number, origin = ORIGIN): JournalEntry {
  return entry(id, { state: 'durable', index, origin });
}

describe('the journal of the page', () => {
  it('keeps the newest entries first, and only as many as the page follows', () => {
    let journal: Journal = [];
    for (let i = 0; i < JOURNAL_ENTRIES_MAX + 5; i++) journal = journalAdd(journal, entry(String(i)));
    expect(journal).toHaveLength(JOURNAL_ENTRIES_MAX);
    expect(journal[0]?.id).toBe(String(JOURNAL_ENTRIES_MAX + 4));
  });

  it('moves an entry from recording to durable to accepted', () => {
    const recording = journalAdd([], entry('a'));
    const kept = journalMove(recording, 'a', { state: 'durable', origin: ORIGIN, index: 7 });
    const accepted = journalMove(kept, 'a', { state: 'accepted', receivedBefore: 1795341600 });
    expect(accepted[0]).toMatchObject({ state: 'accepted', index: 7, receivedBefore: 1795341600 });
  });

  it('never moves an entry back: an answer that arrives late changes nothing', () => {
    const failed = [entry('a', { state: 'failed', code: 'ERR_STORAGE' })];
    expect(journalMove(failed, 'a', { state: 'durable', index: 1 })).toEqual(failed);
    expect(journalMove(failed, 'a', { state: 'rejected', code: 'ERR_CONTENT_REJECTED' })).toEqual(failed);
  });

  it('ignores an entry that has left the list', () => {
    expect(journalMove([entry('a')], 'gone', { state: 'durable' })).toEqual([entry('a')]);
  });
});

describe('a receipt over an earlier page load', () => {
  const receipt = { size: 5, time: 1795341600 };

  it('accepts the durable entries below its size, and no others', () => {
    const journal = [
      durable('c', 5),
      durable('b', 4),
      entry('a'),
      entry('x', { state: 'rejected', index: 1 }),
    ];
    const settled = journalSettle(journal, ORIGIN, receipt);
    expect(settled.map(({ state }) => state)).toEqual(['durable', 'accepted', 'recording', 'rejected']);
  });

  it('says nothing about another log', () => {
    const journal = [durable('a', 0, 'localhost/demo/predecessor')];
    expect(journalSettle(journal, ORIGIN, receipt)).toBe(journal);
  });

  it('leaves the list as it is when it covers nothing new', () => {
    const journal = [durable('a', 5)];
    expect(journalSettle(journal, ORIGIN, receipt)).toBe(journal);
  });
});

describe('the oldest entry that waits', () => {
  it('is the last durable one while the list reaches back far enough', () => {
    const journal = [durable('ccc', 2), durable('bb', 1), entry('a', { state: 'accepted', index: 0 })];
    expect(oldestWaiting(journal, 2, null)).toBe('2026-11-23T10:00:02.000Z');
  });

  it('is when the queue filled where more waits than the list holds', () => {
    expect(oldestWaiting([durable('a', 900)], 900, '2026-11-20T08:00:00.000Z')).toBe(
      '2026-11-20T08:00:00.000Z',
    );
  });

  it('is nothing while nothing waits', () => {
    expect(oldestWaiting([durable('a', 1)], 0, '2026-11-20T08:00:00.000Z')).toBeNull();
  });
});

describe('the stored journal', () => {
  it('comes back as it was, without entries whose durability nobody knows', () => {
    const journal = [entry('b'), durable('a', 3)];
    expect(parseJournal(journalText(journal))).toEqual([durable('a', 3)]);
  });

  it('starts empty from whatever is no journal', () => {
    for (const text of [null, '', 'null', '{}', '[', '[1,null,{"id":"a"}]', '[{"id":1}]'])
      expect(parseJournal(text)).toEqual([]);
  });

  it('drops an entry whose state is a name of Object.prototype', () => {
    expect(parseJournal(JSON.stringify([{ ...entry('a'), state: 'constructor' }]))).toEqual([]);
  });
});
