import { describe, expect, it } from '@jest/globals';
import { AuditBufferError } from '../src/errors.ts';
import type { Change, LogStore, Select, Snapshot } from '../src/log-store.ts';
import { MemoryLogStore } from '../src/memory-log-store.ts';
import { actor, codeOf, DurableMemoryStore, makeWorld, record, until } from './support/harness.ts';

/** A store that refuses commits while told to. */
class FailingStore extends DurableMemoryStore {
  failure: AuditBufferError | null = null;
  override transact<T>(plan: (snapshot: Snapshot) => Change<T>, select?: Select) {
    return this.failure === null ? super.transact(plan, select) : Promise.reject(this.failure);
  }
}

function reconciles(ledger: { [name: string]: number }): void {
  expect(ledger['recorded']).toBe(ledger['waiting']! + ledger['durable']! + ledger['gap']!);
  expect(ledger['durable']).toBe(ledger['accepted']! + ledger['pending']! + ledger['lost']!);
}

describe('a full buffer', () => {
  it('with `gap` refuses, counts, and declares it in a signed entry once there is room (INV-12)', async () => {
    const world = await makeWorld();
    const audit = world.open({ bytesMax: 3_000 });
    const entries = Array.from({ length: 20 }, () =>
      audit.record('item.reveal', { actor, data: { vault: 'v_1' } }),
    );
    const codes = await Promise.all(entries.map(({ durable }) => codeOf(durable)));
    const kept = codes.filter((code) => code === null).length;
    expect(kept).toBeGreaterThan(3);
    expect(codes.slice(kept)).toEqual(codes.slice(kept).map(() => 'ERR_BUFFER_FULL'));
    expect(audit.status().ledger).toMatchObject({ recorded: 20, durable: kept, gap: 20 - kept });
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    await until(() => audit.status().ledger.accepted === kept + 1, 'the gap has its receipt');
    expect(world.ingest.eventsOf(world.ingest.device).at(-1)).toMatchObject({
      action: 'buffer.gap',
      data: { count: 20 - kept, reason: 'full' },
    });
    reconciles(audit.status().ledger);
    await audit.close();
  });

  it('with `reject` fails closed, and declares nothing that the app was told already', async () => {
    const world = await makeWorld();
    const audit = world.open({ bytesMax: 1_000, whenFull: 'reject' });
    await record(audit, 2);
    const [entry] = [audit.record('item.reveal', { actor, data: { vault: 'x'.repeat(900) } })];
    expect(await codeOf(entry.durable)).toBe('ERR_BUFFER_FULL');
    expect(await codeOf(entry.accepted)).toBe('ERR_BUFFER_FULL');
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    await record(audit, 1);
    await audit.flush();
    expect(world.ingest.eventsOf(world.ingest.device).map(({ action }) => action)).toEqual(
      Array.from({ length: 3 }, () => 'item.reveal'),
    );
    await audit.close();
  });

  it('a disk that refuses rejects `durable` with ERR_STORAGE_FULL, and the gap is declared later', async () => {
    const store = new FailingStore();
    const world = await makeWorld(store);
    const audit = world.open();
    await record(audit, 2);
    store.failure = new AuditBufferError('ERR_STORAGE_FULL', 'full');
    const entry = audit.record('item.reveal', { actor, data: { vault: 'v_1' } });
    expect(await codeOf(entry.durable)).toBe('ERR_STORAGE_FULL');
    expect(audit.status()).toMatchObject({
      problem: { code: 'ERR_STORAGE_FULL' },
      ledger: { recorded: 3, durable: 2, gap: 1 },
    });
    reconciles(audit.status().ledger);
    store.failure = null;
    await record(audit, 1);
    expect(audit.status().problem).toBeNull();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    expect(world.ingest.eventsOf(world.ingest.device).map(({ action }) => action)).toEqual([
      'item.reveal',
      'item.reveal',
      'buffer.gap',
      'item.reveal',
    ]);
    reconciles(audit.status().ledger);
    await audit.close();
  });
});

describe('a store that takes its time', () => {
  /** A store whose transactions wait until it is let go. */
  class SlowStore extends DurableMemoryStore {
    go = (): void => undefined;
    readonly #gone = new Promise<void>((resolve) => {
      this.go = resolve;
    });
    override async transact<T>(plan: (snapshot: Snapshot) => Change<T>, select?: Select) {
      await this.#gone;
      return super.transact(plan, select);
    }
  }
  const vault = 'x'.repeat(30_000);
  const bytesMax = 256 * 1024;
  // The cap, and one commit of 2 MiB: what could ever be on its way to disk.
  const heldMax = bytesMax + 2 * 1024 * 1024;

  it.each(['gap', 'reject'] as const)(
    'holds no more than the cap and one commit in memory, and counts the rest (%s, INV-12, INV-14)',
    async (whenFull) => {
      const store = new SlowStore();
      const world = await makeWorld(store);
      const audit = world.open({ bytesMax, whenFull });
      const entries = Array.from({ length: 200 }, () =>
        audit.record('item.reveal', { actor, data: { vault } }),
      );
      const { waiting, gap } = audit.status().ledger;
      expect(waiting * vault.length).toBeLessThan(heldMax);
      expect(gap).toBe(200 - waiting);
      expect(await codeOf(entries[199]!.durable)).toBe('ERR_BUFFER_FULL');
      reconciles(audit.status().ledger);
      store.go();
      const codes = await Promise.all(entries.map(({ durable }) => codeOf(durable)));
      const kept = codes.filter((code) => code === null).length;
      expect(kept).toBe(Math.floor(bytesMax / (vault.length + 300)));
      await until(() => audit.status().ledger.waiting === 0, 'all decided');
      reconciles(audit.status().ledger);
      await audit.enrol({ type: 'token', token: 'token-1' });
      await audit.flush();
      await audit.flush();
      const declared = world.ingest
        .eventsOf(world.ingest.device)
        .filter(({ action }) => action === 'buffer.gap')
        .map(({ data }) => data?.['count'] as number);
      expect(declared.reduce((sum, count) => sum + count, 0)).toBe(whenFull === 'gap' ? 200 - kept : 0);
      expect(audit.status().ledger).toMatchObject({ waiting: 0, pending: 0, gap: 200 - kept });
      reconciles(audit.status().ledger);
      await audit.close();
    },
  );
});

describe('a browser that stores nothing', () => {
  it('says so loudly: `memory-only`, `durable` rejects, and uploading still works', async () => {
    const broken: LogStore = {
      durable: true,
      read: () => Promise.reject(new AuditBufferError('ERR_STORAGE', 'IndexedDB failed (SecurityError)')),
      transact: () => Promise.reject(new AuditBufferError('ERR_STORAGE', 'IndexedDB failed (SecurityError)')),
      identity: () => Promise.resolve(null),
      cacheKey: () => Promise.resolve(null),
      close: () => undefined,
    };
    const world = await makeWorld(broken);
    const audit = world.open();
    const entry = audit.record('item.reveal', { actor, data: { vault: 'v_1' } });
    expect(await codeOf(entry.durable)).toBe('ERR_STORAGE');
    expect(audit.status()).toMatchObject({ state: 'memory-only', problem: { code: 'ERR_STORAGE' } });
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    expect((await entry.accepted).index).toBe(0);
    await audit.close();
  });

  it('a key that cannot be stored (DataCloneError) leads there, too, and never to a key in the clear', async () => {
    class NoKeys extends DurableMemoryStore {
      override transact<T>(plan: (snapshot: Snapshot) => Change<T>, select?: Select) {
        return super.transact((snapshot) => {
          const change = plan(snapshot);
          if (change.identity === undefined) return change;
          const cause = new DOMException('could not be cloned', 'DataCloneError');
          throw new AuditBufferError('ERR_STORAGE', 'IndexedDB failed (DataCloneError)', { cause });
        }, select);
      }
    }
    const world = await makeWorld(new NoKeys());
    const audit = world.open();
    const entry = audit.record('item.reveal', { actor, data: { vault: 'v_1' } });
    expect(await codeOf(entry.durable)).toBe('ERR_STORAGE');
    expect(audit.status().state).toBe('memory-only');
    await audit.close();
  });
});

describe('content that ingest refuses', () => {
  it('keeps its place, blocks nothing, and rejects `accepted` with ERR_CONTENT_REJECTED', async () => {
    const world = await makeWorld(new MemoryLogStore());
    const audit = world.open();
    await audit.enrol({ type: 'token', token: 'token-1' });
    await audit.flush();
    world.network.onAnswer = (answer) => {
      if (answer.kind !== 'answer') return answer;
      const body = JSON.parse(answer.body) as { rejected?: object[] };
      return {
        ...answer,
        body: JSON.stringify({ ...body, rejected: [{ index: 1, code: 'ERR_LEAF_DATA' }] }),
      };
    };
    const entries = Array.from({ length: 3 }, () =>
      audit.record('item.reveal', { actor, data: { vault: 'v' } }),
    );
    await audit.flush();
    const codes = await Promise.all(entries.map(({ accepted }) => codeOf(accepted)));
    expect(codes).toEqual([null, 'ERR_CONTENT_REJECTED', null]);
    expect(audit.status().ledger).toMatchObject({ accepted: 3, rejected: 1 });
    await audit.close();
  });
});
