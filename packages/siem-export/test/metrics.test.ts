import { describe, expect, it } from '@jest/globals';
import { noCounts } from '../src/engine/counts.ts';
import { noFeedCounts } from '../src/feed/feed-counts.ts';
import { formatMetrics } from '../src/metrics.ts';

describe('formatMetrics', () => {
  it('has every outcome of records, and no label but routes, outcomes and partitions', () => {
    const positions = new Map([
      [1, 42],
      [2, 5],
    ]);
    const counts = { ...noCounts(), records: 3, delivered: 2, deadLettered: 1 };
    const feed = { reason: null, counts: { ...noFeedCounts(), records: 4, passed: 3, stale: 1 }, positions };
    const text = formatMetrics(
      { feed, routes: [{ name: 'events', state: 'halted', reason: 'x', counts, positions }] },
      new Map([
        [0, { oldest: 0, next: 9 }],
        [1, { oldest: 0, next: 50 }],
        [2, { oldest: 30, next: 37 }],
      ]),
    );
    const lag = text.split('\n').filter((line) => line.startsWith('tachograph_export_lag_records'));
    expect(lag).toEqual([
      'tachograph_export_lag_records{route="events",partition="1"} 8',
      // What was trimmed before it was read is lost, not behind.
      'tachograph_export_lag_records{route="events",partition="2"} 7',
    ]);
    expect(text).toContain('tachograph_export_records_total{route="events",outcome="delivered"} 2\n');
    expect(text).toContain('tachograph_export_records_total{route="events",outcome="deadLettered"} 1\n');
    expect(text).toContain('tachograph_feed_records_total{outcome="stale"} 1\n');
    expect(text).toContain('tachograph_feed_running 1\n');
    expect(text).toContain('tachograph_export_running{route="events"} 0\n');
    expect(text).toContain('tachograph_export_position{route="events",partition="1"} 42\n');
    const labels = [...text.matchAll(/([a-z]+)="/g)].map(([, label]) => label);
    expect(new Set(labels)).toEqual(new Set(['route', 'outcome', 'partition']));
    expect(text.endsWith('\n')).toBe(true);
  });
});
