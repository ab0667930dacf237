import { appendLeaves, EMPTY_RANGE, leafHash, parseCheckpointNote } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import type { Rows } from '../src/core/rows.ts';
import type { Change, Select, Snapshot } from '../src/log-store.ts';
import {
  codeOf,
  DurableMemoryStore,
  makeWorld,
  record,
  until,
  type TestBuffer,
  type World,
} from './support/harness.ts';

/** A store whose state can be saved and put back, as a copied browser profile is. */
class CopiableStore extends DurableMemoryStore {
  #history: { change: Change<unknown> }[] = [];

  override async transact<T>(
    plan: (snapshot: Snapshot) => Change<T>,
    select?: Select,
  ): Promise<{ result: T; rows: Rows }> {
    return super.transact((snapshot) => {
      const change = plan(snapshot);
      this.#history.push({ change });
      return change;
    }, select);
  }

  /** A copy as of now: the same key, the same log. */
  async copy(): Promise<CopiableStore> {
    const other = new CopiableStore();
    for (const { change } of this.#history) await other.transact(() => change);
    return other;
  }
}

async function enrolledIn(store: CopiableStore): Promise<{ world: World; audit: TestBuffer }> {
  const world = await makeWorld(store);
  const audit = world.open();
  await audit.enrol({ type: 'token', token: 'token-1' });
  await audit.flush();
  return { world, audit };
}

describe('409 and 422', () => {
  it('a root that is the same at the size of ingest is a receipt', async () => {
    const { world, audit } = await enrolledIn(new CopiableStore());
    world.network.onAnswer = () => ({ kind: 'failure', detail: 'lost' });
    const entries = await record(audit, 5);
    expect(await codeOf(audit.flush())).toBe('ERR_NETWORK');
    expect(world.ingest.device.leaves).toHaveLength(5);
    world.network.online();
    await record(audit, 5);
    await audit.flush();
    expect((await entries[0]!.accepted).index).toBe(0);
    expect(audit.status().ledger).toMatchObject({ accepted: 10, pending: 0 });
    expect(world.ingest.devices.size).toBe(1);
    await audit.close();
  });

  it('a fork: what the copied profile recorded arrives through its successor, byte for byte', async () => {
    const store = new CopiableStore();
    const { world, audit } = await enrolledIn(store);
    await record(audit, 4, 'common');
    await audit.flush();
    const copy = await store.copy();
    await record(audit, 3, 'original');
    await audit.flush();
    const clone = world.open({ store: copy });
    const entries = await record(clone, 5, 'clone');
    await clone.flush();

    expect(world.ingest.devices.size).toBe(2);
    const [first, second] = [...world.ingest.devices.values()];
    expect(first!.leaves).toHaveLength(7);
    const successor = world.ingest.eventsOf(second!);
    expect(successor[0]).toMatchObject({
      action: 'log.opened',
      data: { predecessor: first!.origin, carriedFrom: 4, count: 5 },
    });
    expect(successor.slice(1).map(({ data }) => data?.['vault'])).toEqual(
      [0, 1, 2, 3, 4].map((i) => `clone-${i}`),
    );
    expect(await Promise.all(entries.map(({ accepted }) => accepted))).toMatchObject([
      { origin: second!.origin, index: 1 },
      { index: 2 },
      { index: 3 },
      { index: 4 },
      { index: 5 },
    ]);
    expect(clone.status()).toMatchObject({ origin: second!.origin, problem: { code: 'ERR_SUCCESSION' } });
    const { recorded, waiting, durable, gap, accepted, pending, lost } = clone.status().ledger;
    expect(recorded).toBe(waiting + durable + gap);
    expect(durable).toBe(accepted + pending + lost);
    expect(second!.status).toBe('quarantined');
    await Promise.all([audit.close(), clone.close()]);
  });

  it('a rollback: a profile put back to yesterday goes on in a successor', async () => {
    const store = new CopiableStore();
    const { world, audit } = await enrolledIn(store);
    await record(audit, 4);
    await audit.flush();
    const yesterday = await store.copy();
    await record(audit, 6);
    await audit.flush();
    await audit.close();
    const back = world.open({ store: yesterday });
    const [entry] = await record(back, 1, 'after');
    await back.flush();
    const [, successor] = [...world.ingest.devices.values()];
    expect(world.ingest.eventsOf(successor!).map(({ action }) => action)).toEqual([
      'log.opened',
      'item.reveal',
    ]);
    expect((await entry!.accepted).origin).toBe(successor!.origin);
    await back.close();
  });

  it('ingest behind a receipt: confirmed by a check-in, then restored, and no successor', async () => {
    const { world, audit } = await enrolledIn(new CopiableStore());
    await record(audit, 3);
    await audit.flush();
    const { device } = world.ingest;
    const old = { range: device.range, cosigned: device.cosigned, leaves: [...device.leaves] };
    await record(audit, 3);
    await audit.flush();
    Object.assign(device, old);
    await record(audit, 2);
    await audit.flush();
    expect(world.ingest.requests.filter((line) => line.endsWith('/restore'))).toHaveLength(1);
    expect(world.ingest.devices.size).toBe(1);
    expect(device.range.size).toBe(8);
    expect(audit.status().ledger).toMatchObject({ accepted: 8, pending: 0 });
    await audit.close();
  });

  it('ingest that forgot the device altogether is given its state back', async () => {
    const { world, audit } = await enrolledIn(new CopiableStore());
    await record(audit, 3);
    await audit.flush();
    world.ingest.devices.clear();
    await record(audit, 2);
    await audit.flush();
    expect(world.ingest.device).toMatchObject({ status: 'quarantined', range: { size: 5 } });
    await audit.close();
  });

  it.each([0, 3])('a 422 for a body that was damaged on its way is sent again (at size %p)', async (size) => {
    const { world, audit } = await enrolledIn(new CopiableStore());
    await record(audit, size);
    await audit.flush();
    const handle = world.ingest.handle.bind(world.ingest);
    let damaged = 0;
    world.ingest.handle = async (request) => {
      const body = new Uint8Array(await request.arrayBuffer());
      if (damaged++ === 0) body[body.length - 5]! ^= 1;
      return handle(new Request(request.url, { method: request.method, body }));
    };
    await record(audit, 2);
    await until(() => {
      world.clock.advance(1_000);
      return audit.status().ledger.accepted === size + 2;
    }, 'resent');
    expect(world.ingest.devices.size).toBe(1);
    expect(world.ingest.requests.some((line) => line.endsWith('/restore'))).toBe(false);
    expect(damaged).toBeGreaterThan(1);
    await audit.close();
  });

  it('entries edited in storage are never signed: a successor declares them as a gap (INV-03)', async () => {
    const store = new CopiableStore();
    const { world, audit } = await enrolledIn(store);
    await record(audit, 3, 'good');
    await audit.flush();
    world.network.offline();
    const edited = await record(audit, 4, 'honest');
    await audit.close();
    await store.transact(
      ({ blocks }) => {
        const bytes = blocks[0]!.bytes.slice();
        bytes.set(new TextEncoder().encode('forged'), new TextDecoder().decode(bytes).indexOf('honest'));
        const { device } = blocks[0]!;
        return { result: null, drop: { device, size: Infinity }, append: [{ ...blocks[0]!, bytes }] };
      },
      ({ log }) => ({ device: log!.device, from: 0, bytesMax: Infinity }),
    );
    world.network.online();
    const again = world.open();
    await again.flush();
    const [, successor] = [...world.ingest.devices.values()];
    const seen = world.ingest.eventsOf(successor!);
    expect(seen.map(({ action }) => action)).toEqual(['log.opened', 'buffer.gap']);
    expect(seen[1]).toMatchObject({ data: { count: 4, reason: 'corrupt' } });
    expect(again.status().ledger).toMatchObject({ lost: 4, pending: 0 });
    expect(edited).toHaveLength(4);
    await again.close();
  });

  it('one bad reading of good entries is not damage: they are read once more, and nothing is given up', async () => {
    let misread = 0;
    class ForgetfulStore extends CopiableStore {
      override async read(select?: Select): Promise<Snapshot> {
        const snapshot = await super.read(select);
        if (snapshot.blocks.length === 0 || misread-- <= 0) return snapshot;
        const [block, ...others] = snapshot.blocks;
        return {
          ...snapshot,
          blocks: [{ ...block!, bytes: block!.bytes.map((byte) => byte ^ 1) }, ...others],
        };
      }
    }
    const { world, audit } = await enrolledIn(new ForgetfulStore());
    const { origin } = audit.status();
    misread = 1;
    await record(audit, 5);
    await audit.flush();
    expect(misread).toBeLessThanOrEqual(0);
    expect(audit.status()).toMatchObject({ origin, ledger: { accepted: 5, lost: 0 } });
    expect(world.ingest.devices.size).toBe(1);
    await audit.close();
  });

  it('an answer from an hour ago changes nothing (INV-04)', async () => {
    const { world, audit } = await enrolledIn(new CopiableStore());
    let release = (): void => undefined;
    let held = false;
    world.network.onAnswer = async (answer) => {
      if (held) return answer;
      held = true;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return answer;
    };
    // This tab sends, and freezes before its answer is read.
    await record(audit, 3);
    await until(() => held, 'frozen');
    world.clock.advance(3_600_000);
    const other = world.open();
    await record(other, 4);
    await other.flush();
    const before = other.status();
    expect(before.ledger.accepted).toBe(7);
    release();
    await audit.flush();
    expect(audit.status().receipt).toEqual(before.receipt);
    expect(audit.status().ledger).toMatchObject({ accepted: 7, pending: 0 });
    expect(world.ingest.devices.size).toBe(1);
    await Promise.all([audit.close(), other.close()]);
  });

  it('what ingest holds is a tree that follows from its leaves', async () => {
    const { world, audit } = await enrolledIn(new CopiableStore());
    await record(audit, 9);
    await audit.flush();
    const { cosigned, leaves } = world.ingest.device;
    const checkpoint = parseCheckpointNote(cosigned!);
    expect(checkpoint.ok && checkpoint.value.size).toBe(9);
    expect(appendLeaves(EMPTY_RANGE, leaves.map(leafHash))).toEqual(world.ingest.device.range);
    await audit.close();
  });
});
