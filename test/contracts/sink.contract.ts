import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Delivery, OpenSink, Sink } from '../../packages/siem-export/src/sinks/sink.ts';

/** One sink with a destination of its own for one test. */
export type SinkUnderTest = {
  readonly sink: Sink;
  /** A configuration that reaches the destination. */
  readonly validConfig: { readonly type: string };
  /** Opens the sink, with the marks that are committed. */
  readonly open: (marks: readonly string[]) => Promise<OpenSink>;
  /** `count` deliveries that are all different, numbered from `from`. */
  readonly deliveries: (from: number, count: number) => Delivery[];
  /** What the destination holds now, oldest first, one text a line that was delivered. */
  readonly received: () => Promise<string[]>;
  /** Makes the next try fail as the destination fails when it is out of order for a while. */
  readonly breakOnce: () => void | Promise<void>;
  readonly destroy: () => Promise<void>;
};

/** What `sinks/sink.ts` promises of a sink, for every one of them. */
export function describeSinkContract(name: string, make: () => Promise<SinkUnderTest>): void {
  describe(`${name} keeps the contract of Sink`, () => {
    let subject: SinkUnderTest;
    const signal = new AbortController().signal;
    const text = ({ line }: Delivery): string => Buffer.from(line).toString();
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(() => subject.destroy());

    it('takes its own type in its settings, and refuses another one and unknown members', () => {
      expect(subject.validConfig.type).toBe(subject.sink.type);
      expect(subject.sink.config.safeParse(subject.validConfig).success).toBe(true);
      expect(subject.sink.config.safeParse({ ...subject.validConfig, type: 'other' }).success).toBe(false);
      expect(subject.sink.config.safeParse({ ...subject.validConfig, unknown: 1 }).success).toBe(false);
    });

    it('answers one outcome for each event, in order, and has what it calls delivered', async () => {
      const sink = await subject.open([]);
      const batch = subject.deliveries(0, 5);
      const outcomes = await sink.deliver(batch, signal);
      expect(outcomes.map(({ kind }) => kind)).toEqual(batch.map(() => 'delivered'));
      expect(await subject.received()).toEqual(batch.map(text));
      await sink.close();
    });

    it('keeps the order of batches', async () => {
      const sink = await subject.open([]);
      for (let from = 0; from < 30; from += 10) await sink.deliver(subject.deliveries(from, 10), signal);
      expect(await subject.received()).toEqual(subject.deliveries(0, 30).map(text));
      await sink.close();
    });

    it('has limits above one event', async () => {
      const sink = await subject.open([]);
      expect(sink.limits.batchEventsMax).toBeGreaterThan(0);
      expect(sink.limits.batchBytesMax).toBeGreaterThan(0);
      await sink.close();
    });

    it('asks for a retry with a reason when the destination is out of order, and then delivers each event once', async () => {
      const sink = await subject.open([]);
      await sink.deliver(subject.deliveries(0, 2), signal);
      await subject.breakOnce();
      const batch = subject.deliveries(2, 3);
      const outcomes = await sink.deliver(batch, signal);
      expect(outcomes).toHaveLength(3);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/./) });
      }
      await sink.deliver(batch, signal);
      expect(await subject.received()).toEqual(subject.deliveries(0, 5).map(text));
      await sink.close();
    });

    it('where it gives marks: undoes at its next opening what was delivered behind the last committed one', async () => {
      const sink = await subject.open([]);
      await sink.deliver(subject.deliveries(0, 2), signal);
      const mark = sink.mark();
      await sink.deliver(subject.deliveries(2, 3), signal);
      await sink.close();
      const again = await subject.open(mark === null ? [] : [mark]);
      const kept = mark === null ? 5 : 2;
      expect(await subject.received()).toEqual(subject.deliveries(0, kept).map(text));
      await again.close();
    });
  });
}
