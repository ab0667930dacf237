import { expect } from '@jest/globals';
import type { TestDevice } from './device.ts';
import { eventually } from './eventually.ts';
import { rawTopic, type RawRecord } from './kafka-raw.ts';
import type { Deployment } from './two-nodes.ts';

/** Something that a node's appends do not get past for now. */
export type Hold = {
  /** Resolves when an append with a third entry of one of these devices is held. */
  readonly whenUnderWay: (sent: readonly TestDevice[]) => Promise<void>;
  /** Others are able to go on. */
  readonly now: () => Promise<void>;
  /** What is still on its way arrives, after what others have done. */
  readonly late: (sent: readonly TestDevice[]) => Promise<void>;
};

/** Nothing can be settled: what a node appends stands in the topic, and its heads wait. */
export async function holdRegistry(deployment: Deployment): Promise<Hold> {
  const { postgres, databaseUrl } = deployment;
  const lock = await postgres.hold(databaseUrl, 'select * from partitions for update');
  return {
    whenUnderWay: async (sent) => {
      await eventually('an append in the topic', async () =>
        (await thirdsOf(deployment, sent)).length > 0 ? true : null,
      );
    },
    now: () => lock.release(),
    late: () => Promise.resolve(),
  };
}

/** What nodes send to the broker by way of the proxy arrives later. */
export async function holdProduce(deployment: Deployment): Promise<Hold> {
  const { proxy } = deployment;
  // Else it may be a fact of the tenant that is held.
  await outboxEmpty(deployment);
  proxy.fail('produce', () => ({ kind: 'hold-request' }));
  return {
    whenUnderWay: async (sent) => {
      await eventually('an append on its way', () => (proxy.held() > 0 ? true : null));
      expect(await thirdsOf(deployment, sent)).toEqual([]);
    },
    now: () => Promise.resolve(),
    late: async (sent) => {
      const before = await thirdsOf(deployment, sent);
      expect(new Set(before.map(({ headers }) => headers['ce_source'])).size).toBe(sent.length);
      proxy.heal();
      proxy.release();
      await eventually('the late append', async () =>
        (await thirdsOf(deployment, sent)).length > before.length ? true : null,
      );
    },
  };
}

/** Resolves when the log has every fact of the tenant. */
export async function outboxEmpty({ postgres, databaseUrl }: Deployment): Promise<void> {
  await eventually(
    'an empty outbox',
    () => (postgres.psql(databaseUrl, 'select count(*) from outbox') === '0\n' ? true : null),
    30_000,
  );
}

/** Every record of the topic, as a stock client reads it. */
export function topicOf({ broker, topic }: Deployment): Promise<RawRecord[]> {
  return rawTopic(broker.address, topic).readAll();
}

/** The third entries of these devices, as often as they stand in the topic. */
async function thirdsOf(deployment: Deployment, sent: readonly TestDevice[]): Promise<RawRecord[]> {
  const origins = new Set<string | undefined>(sent.map(({ origin }) => origin));
  return (await topicOf(deployment)).filter(
    ({ headers }) => origins.has(headers['ce_source']) && Number(headers['ce_sequence']) === 2,
  );
}
