import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../src/metrics.ts';

describe('the metrics', () => {
  it('have base units and no label that grows with devices or tenants', async () => {
    const metrics = createMetrics({ withProcess: false });
    metrics.requestEnded('appended', 10, 0.01);
    metrics.leavesAppended(9, 1);
    metrics.laneWrote(2, 1000, 0.002);
    metrics.laneWaiting(3, 512);
    metrics.laneRecovered(3, 7);
    metrics.filterAlarm('fork');
    metrics.outboxWaiting(1);
    metrics.httpRequestEnded('GET', '/v1/keys', 200, 0.001);
    metrics.enrolmentDecided('enrolled');
    metrics.rateLimited('device');
    metrics.requestRefused('log_away');
    metrics.heldBytesFrom(() => ({ bodies: 12, lanes: 34 }));
    const text = await metrics.exposition();
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      if (type === 'counter') expect(name).toMatch(/^tachograph_[a-z_]+_total$/);
      else expect(name).toMatch(/^tachograph_[a-z_]+_(seconds|bytes|events)$/);
    }
    const labels = new Set([...text.matchAll(/([a-z_]+)="/g)].map(([, label]) => String(label)));
    expect([...labels].sort()).toEqual([
      'content',
      'kind',
      'le',
      'limit',
      'method',
      'outcome',
      'partition',
      'reason',
      'route',
      'status',
      'where',
    ]);
    expect(text).toContain('tachograph_held_bytes{where="lanes"} 34');
    expect(text).toContain('tachograph_appended_leaves_total{content="rejected"} 1');
    expect(text).toContain('tachograph_append_offered_leaves_total{outcome="appended"} 10');
  });

  it('of two servers in one process are apart', async () => {
    const [one, other] = [createMetrics({ withProcess: true }), createMetrics({ withProcess: true })];
    one.filterAlarm('gap');
    expect(await other.exposition()).not.toContain('kind="gap"');
  });
});
