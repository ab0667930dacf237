import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { leadersOf, partitionsOf, type PartitionState } from '../support/kafka-admin.ts';
import { startKafkaCluster, type KafkaBroker, type KafkaCluster } from '../support/kafka.ts';
import { openKafkaRoad, progressOf, sendUntil, TOPIC, type KafkaRoad } from './kafka-road.ts';
import type { Sender } from './kafka-senders.ts';

/** Each broker leads two of them at first. */
const PARTITIONS = 6;
const REPLICAS = 3;
const MIN_IN_SYNC = 2;
const SENDERS = 12;
/**
 * From when the brokers are able to, until the last device has got on. It may take two silent connections, one that the
 * append waits for until its deadline and one that the log is read by then: 6 s each, and a second's pause after each.
 */
const RECOVERY_MS_MAX = 30_000;
const HEALED_MS_MAX = 60_000;

/** A server over three brokers, and devices that send to it all the time. */
export type ClusterRoad = KafkaRoad<KafkaCluster> & { readonly senders: readonly Sender[] };

export async function openClusterRoad(): Promise<ClusterRoad> {
  const road = await openKafkaRoad({
    start: (folder) =>
      startKafkaCluster({
        folder,
        brokers: 3,
        // Five minutes by default: how long until a broker that is back leads again what it is to lead.
        // 30 s by default: how long brokers wait for a controller that has fallen silent, before they ask the next one to
        // take replicas back in, or for ids of producers.
        properties: {
          'leader.imbalance.check.interval.seconds': '5',
          'controller.socket.timeout.ms': '6000',
        },
      }),
    addresses: ({ addresses }) => ({ direct: addresses, forServer: addresses }),
    topic: { partitions: PARTITIONS, replicas: REPLICAS, minInSync: MIN_IN_SYNC },
  });
  return { ...road, senders: await road.enrol(SENDERS) };
}

export type Fault = {
  readonly name: string;
  readonly strike: () => Promise<void> | void;
  /** Resolves once the brokers are able to take every append again; nothing where they always are. */
  readonly able?: () => Promise<unknown>;
  /** What mends it; afterwards every device has to get on once more. */
  readonly mend?: () => Promise<void> | void;
};

/** Lets something happen to the brokers while all devices send, and measures when the last one has got on. */
export async function sendThrough(road: ClusterRoad, fault: Fault): Promise<void> {
  await whileSending(road, async () => {
    const statuses = statusesOf(road);
    const struckAt = performance.now();
    await fault.strike();
    const moved = progressOf(road.senders);
    const able = (fault.able?.() ?? Promise.resolve()).then(() => performance.now());
    // However long the brokers need themselves, what counts is what comes after it.
    const progress = moved(HEALED_MS_MAX + RECOVERY_MS_MAX).then(() => performance.now());
    const [ableAt, progressAt] = await Promise.all([able, progress]);
    const after = Math.max(0, progressAt - ableAt);
    await fault.mend?.();
    await progressOf(road.senders)(HEALED_MS_MAX);
    console.log(
      `${fault.name}: every device got on ${seconds(progressAt - struckAt)} after it, ` +
        `${seconds(after)} after the brokers could; answers ${statuses()}`,
    );
    expect(after).toBeLessThan(RECOVERY_MS_MAX);
  });
}

/** Takes away what appends need for a while: nobody gets a receipt meanwhile, and everybody does afterwards. */
export async function refuseDuring(
  road: ClusterRoad,
  fault: Required<Omit<Fault, 'able'>> & { readonly awayMs: number },
): Promise<void> {
  await whileSending(road, async () => {
    const statuses = statusesOf(road);
    await fault.strike();
    const atStrike = refusalsOf(road);
    try {
      // What was on its way may still be acknowledged; a device that was refused once has nothing on its way any more.
      await eventually('a refusal of every device', () => refusedSince(road, atStrike), HEALED_MS_MAX);
      const before = road.senders.map(({ acknowledged }) => acknowledged);
      const refusals = refusalsOf(road);
      await delay(fault.awayMs);
      // A leader that is there and waits for its replicas holds an append up for as long as that may take.
      await eventually('another refusal of every device', () => refusedSince(road, refusals), HEALED_MS_MAX);
      expect(road.senders.map(({ acknowledged }) => acknowledged)).toEqual(before);
    } finally {
      // Without it nobody would end to send.
      await fault.mend();
    }
    const mendedAt = performance.now();
    await progressOf(road.senders)(HEALED_MS_MAX);
    const after = performance.now() - mendedAt;
    console.log(`${fault.name}: every device got on ${seconds(after)} after its end; answers ${statuses()}`);
    expect(after).toBeLessThan(RECOVERY_MS_MAX);
  });
}

/** The broker that leads `partition`. */
export async function leaderOf({ kafka }: ClusterRoad, partition: number): Promise<KafkaBroker> {
  const leaders = await leadersOf(kafka.addresses, TOPIC);
  return kafka.brokers.find(({ nodeId }) => nodeId === leaders[partition])!;
}

/** Resolves when every partition is led by somebody other than `victim`. */
export async function othersLead(road: ClusterRoad, victim: KafkaBroker): Promise<void> {
  await untilEach(road, `no partition led by broker ${victim.nodeId}`, victim, (partition) =>
    isLedByOther(partition, victim),
  );
}

/**
 * Resolves when every partition takes appends without `victim`: somebody else leads, enough of the others are in sync,
 * and the victim does not count as in sync any more, else the leader would wait for it.
 */
export async function othersTake(road: ClusterRoad, victim: KafkaBroker): Promise<void> {
  await untilEach(road, `appends without broker ${victim.nodeId}`, victim, (partition) => {
    const { inSync } = partition;
    return isLedByOther(partition, victim) && !inSync.includes(victim.nodeId) && inSync.length >= MIN_IN_SYNC;
  });
}

/**
 * Resolves when every replica is in sync. Whatever befalls one broker before that befalls a cluster that lacks another
 * one already, and may have to wait for it.
 */
export async function allInSync(road: ClusterRoad): Promise<void> {
  await untilEach(road, 'all replicas in sync', null, ({ leader, replicas, inSync }) => {
    return leader > 0 && replicas.length === REPLICAS && inSync.length === REPLICAS;
  });
}

function isLedByOther({ leader }: PartitionState, victim: KafkaBroker): boolean {
  return leader > 0 && leader !== victim.nodeId;
}

/** Asks the brokers other than `victim` until `holds` is true of every partition. */
async function untilEach(
  { kafka }: ClusterRoad,
  what: string,
  victim: KafkaBroker | null,
  holds: (partition: PartitionState) => boolean,
): Promise<void> {
  const asked = kafka.brokers.filter((broker) => broker !== victim).map(({ address }) => address);
  await eventually(
    what,
    async () => {
      // Who was asked may be busy with what has happened: then it is asked again.
      const partitions = await partitionsOf(asked.join(','), TOPIC).catch(() => []);
      return partitions.length === PARTITIONS && partitions.every(holds) ? true : null;
    },
    HEALED_MS_MAX,
  );
}

async function whileSending(road: ClusterRoad, work: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const sending = Promise.all(road.senders.map((sender) => sendUntil(over.signal, sender)));
  try {
    await Promise.race([progressOf(road.senders)(HEALED_MS_MAX), sending]);
    await Promise.race([work(), sending]);
  } finally {
    over.abort();
    await sending;
  }
}

function refusalsOf({ senders }: ClusterRoad): number[] {
  return senders.map(({ answers }) => answers.get(503) ?? 0);
}

/** Whether each device was refused since its count was `before`. */
function refusedSince(road: ClusterRoad, before: readonly number[]): true | null {
  return refusalsOf(road).every((count, i) => count > before[i]!) ? true : null;
}

function statusesOf({ senders }: ClusterRoad): () => string {
  const count = (status: number): number => sum(senders.map(({ answers }) => answers.get(status) ?? 0));
  const all = [200, 409, 429, 503];
  const before = all.map(count);
  return () => all.map((status, i) => `${status}: ${count(status) - before[i]!}`).join(', ');
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
