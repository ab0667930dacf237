import { describe, expect, it } from '@jest/globals';
import { noCounts } from '../src/engine/counts.ts';
import { formatMetrics } from '../src/index.ts';

describe('formatMetrics', () => {
  it('has every outcome of records, and no label but routes, outcomes and partitions', () => {
    const counts = { ...noCounts(), records: 3, delivered: 2, stale: 1 };
    const text = formatMetrics({
      routes: [{ name: 'events', state: 'halted', reason: 'x', counts, positions: new Map([[1, 42]]) }],
    });
    expect(text).toContain('tachograph_export_records_total{route="events",outcome="delivered"} 2\n');
    expect(text).toContain('tachograph_export_records_total{route="events",outcome="stale"} 1\n');
    expect(text).toContain('tachograph_export_running{route="events"} 0\n');
    expect(text).toContain('tachograph_export_position{route="events",partition="1"} 42\n');
    const labels = [...text.matchAll(/([a-z]+)="/g)].map(([, label]) => label);
    expect(new Set(labels)).toEqual(new Set(['route', 'outcome', 'partition']));
    expect(text.endsWith('\n')).toBe(true);
  });
});
