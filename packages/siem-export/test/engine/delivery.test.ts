import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@tachograph/wire';
import { deliverAll, RouteStopped, untilDone, type Trouble } from '../../src/engine/delivery.ts';
import { EXPORT_LIMITS } from '../../src/limits.ts';
import type { Delivery, Outcome } from '../../src/sinks/sink.ts';
import { exportEvent } from '../support/export-event.ts';
import { ScriptedSink } from '../support/scripted-sink.ts';
import { FastClock, keepingLogger } from '../support/surroundings.ts';

const deliveries = (count: number): Delivery[] =>
  Array.from({ length: count }, (_, i) => ({
    event: exportEvent(utf8(`${i}`)),
    line: `${i}`,
    time: '2026-11-22T10:00:00.123Z',
  }));

function setUp(answer: (line: string, attempt: number) => Outcome | Error) {
  const sink = new ScriptedSink(answer);
  const clock = new FastClock();
  const logger = keepingLogger();
  const troubles: (Trouble | null)[] = [];
  const stop = new AbortController();
  const trouble = (what: Trouble | null) => void troubles.push(what);
  const context = {
    route: 'r',
    sink,
    clock,
    random: () => 0.5,
    logger,
    signal: stop.signal,
    trouble,
    mayDefer: false,
  };
  return { sink, clock, logger, troubles, stop, context };
}

const DELIVERED: Outcome = { kind: 'delivered' };

describe('deliverAll', () => {
  it('sends batches within the limits of the sink, in order', async () => {
    const { sink, context } = setUp(() => DELIVERED);
    sink.limits = { batchEventsMax: 2, batchBytesMax: 100 };
    expect(await deliverAll(deliveries(5), context)).toEqual([]);
    expect(sink.sent).toEqual([['0', '1'], ['2', '3'], ['4']]);
  });

  it('sends again only what was not settled: one bad event repeats none of its batch', async () => {
    const { sink, context } = setUp((line, attempt) => {
      if (line === '1' && attempt < 3) return { kind: 'retry', reason: 'busy' };
      return line === '2' ? { kind: 'reject', reason: 'mapping' } : DELIVERED;
    });
    const rejections = await deliverAll(deliveries(4), context);
    expect(sink.sent).toEqual([['0', '1', '2', '3'], ['1'], ['1']]);
    expect(rejections.map(({ delivery, reason }) => [delivery.event.value[0], reason])).toEqual([
      ['2'.charCodeAt(0), 'mapping'],
    ]);
  });

  it('halves a batch that was refused for one of its events, at once, until that one is alone', async () => {
    const { sink, clock, context } = setUp(() => DELIVERED);
    const isBad = ({ line }: Delivery): boolean => line === '5' || line === '6';
    const send = sink.deliver.bind(sink);
    sink.deliver = async (batch) => {
      const outcomes = await send(batch);
      return batch.some(isBad) ? batch.map(() => ({ kind: 'isolate', reason: 'too old' })) : outcomes;
    };
    const rejections = await deliverAll(deliveries(8), context);
    expect(rejections.map(({ delivery, reason }) => [delivery.line, reason])).toEqual([
      ['5', 'too old'],
      ['6', 'too old'],
    ]);
    expect(sink.sent).toEqual([
      ['0', '1', '2', '3', '4', '5', '6', '7'],
      ['0', '1', '2', '3'],
      ['4', '5', '6', '7'],
      ['4', '5'],
      ['4'],
      ['5'],
      ['6', '7'],
      ['6'],
      ['7'],
    ]);
    expect(clock.waits).toEqual([]);
  });

  it('does not begin the next batch before every event of this one is settled', async () => {
    const { sink, context } = setUp((line, attempt) =>
      line === '0' && attempt < 4 ? { kind: 'retry', reason: 'busy' } : DELIVERED,
    );
    sink.limits = { batchEventsMax: 2, batchBytesMax: 100 };
    await deliverAll(deliveries(3), context);
    expect(sink.sent).toEqual([['0', '1'], ['0'], ['0'], ['0'], ['2']]);
  });

  it('waits with a growing, bounded, jittered delay', async () => {
    const { clock, context } = setUp((_line, attempt) =>
      attempt < 20 ? { kind: 'retry', reason: 'busy' } : DELIVERED,
    );
    await deliverAll(deliveries(1), context);
    const { retryDelayMsMin, retryDelayMsMax } = EXPORT_LIMITS;
    expect(clock.waits).toHaveLength(19);
    expect(clock.waits[0]).toBeGreaterThanOrEqual(retryDelayMsMin);
    expect(clock.waits).toEqual(clock.waits.toSorted((a, b) => a - b));
    expect(Math.max(...clock.waits)).toBeLessThanOrEqual(retryDelayMsMax);
  });

  it('waits as long as the destination asks, within our own limit', async () => {
    const { clock, context } = setUp((_line, attempt) => {
      if (attempt === 1) return { kind: 'retry', reason: 'busy', afterMs: 7_000 };
      return attempt === 2 ? { kind: 'retry', reason: 'busy', afterMs: 1e12 } : DELIVERED;
    });
    await deliverAll(deliveries(1), context);
    expect(clock.waits).toEqual([7_000, EXPORT_LIMITS.retryAfterMsMax]);
  });

  it('says that it is halted, tries again at the longest wait, and says when it is over', async () => {
    const { clock, context, logger, troubles } = setUp((_line, attempt) =>
      attempt < 3 ? { kind: 'halt', reason: 'token revoked' } : DELIVERED,
    );
    await deliverAll(deliveries(1), context);
    expect(clock.waits).toEqual([EXPORT_LIMITS.retryDelayMsMax, EXPORT_LIMITS.retryDelayMsMax]);
    expect(troubles).toEqual([
      { kind: 'halted', reason: 'token revoked' },
      { kind: 'halted', reason: 'token revoked' },
      null,
    ]);
    expect(logger.lines.map(({ level, name }) => [level, name])).toEqual([
      ['error', 'route.halted'],
      ['error', 'route.halted'],
    ]);
  });

  it('takes a throw for an answer that never came: everything is sent again', async () => {
    const { sink, context } = setUp((_line, attempt) =>
      attempt === 1 ? new Error('socket hang up') : DELIVERED,
    );
    expect(await deliverAll(deliveries(2), context)).toEqual([]);
    expect(sink.sent).toEqual([
      ['0', '1'],
      ['0', '1'],
    ]);
  });

  it('does not take an answer of the wrong length for anything', async () => {
    const { sink, context } = setUp(() => DELIVERED);
    sink.deliver = async () => [DELIVERED];
    await expect(deliverAll(deliveries(2), context)).rejects.toThrow('1 outcomes for 2 events');
  });

  it('ends when it is stopped, also while the destination is dead', async () => {
    const { context, stop } = setUp((_line, attempt) => {
      if (attempt === 5) stop.abort();
      return { kind: 'retry', reason: 'dead' };
    });
    await expect(deliverAll(deliveries(1), context)).rejects.toThrow(RouteStopped);
  });
});

describe('untilDone', () => {
  it('repeats until it succeeds', async () => {
    const { clock, context } = setUp(() => DELIVERED);
    let attempts = 0;
    await untilDone(async () => {
      if (++attempts < 4) throw new Error('ENOSPC');
    }, context);
    expect(clock.waits).toHaveLength(3);
  });
});
