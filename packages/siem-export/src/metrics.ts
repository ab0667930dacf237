import { FILTER_OUTCOMES } from './feed/feed-counts.ts';
import type { FeedStatus } from './engine/engine.ts';
import type { RouteStatus } from './engine/route-runner.ts';
import type { ExporterStatus } from './exporter.ts';

/**
 * The exporter's figures in Prometheus' text format (version 0.0.4), to be served behind those of others. Route
 * names are labels; tenants and devices are not.
 */
export function formatMetrics({ feed, routes }: ExporterStatus, ends: LogEnds): string {
  return [
    ...feedFamilies(feed),
    ...family(
      'tachograph_export_records_total',
      'counter',
      'Records that a route asked for, by what became of them.',
      routes,
      ({ counts }) => [
        [{ outcome: 'delivered' }, counts.delivered],
        [{ outcome: 'deadLettered' }, counts.deadLettered],
      ],
    ),
    ...family(
      'tachograph_export_notices_total',
      'counter',
      'Events of the exporter itself, told along a route.',
      routes,
      (route) => [[{}, route.counts.notices]],
    ),
    ...family(
      'tachograph_export_content_rejected_total',
      'counter',
      'Records whose content is no valid event.',
      routes,
      (route) => [[{}, route.counts.contentRejected]],
    ),
    ...family(
      'tachograph_export_expired_records_total',
      'counter',
      'Records that retention removed before the route had read them.',
      routes,
      (route) => [[{}, route.counts.expired]],
    ),
    ...family('tachograph_export_commits_total', 'counter', 'Moves of a position.', routes, (route) => [
      [{}, route.counts.commits],
    ]),
    ...family(
      'tachograph_export_running',
      'gauge',
      '1 while the destination takes events.',
      routes,
      (route) => [[{}, route.state === 'running' ? 1 : 0]],
    ),
    ...family(
      'tachograph_export_position',
      'gauge',
      'Offset up to which everything is delivered.',
      routes,
      (route) =>
        [...route.positions].map(([partition, position]) => [{ partition: String(partition) }, position]),
    ),
    ...family(
      'tachograph_export_lag_records',
      'gauge',
      'Records in the log that the route has not settled yet, by partition that it reads.',
      routes,
      ({ positions }) => lagOf(positions, ends),
    ),
    '',
  ].join('\n');
}

/** What the log-order filter made of the log, once for all routes. */
function feedFamilies({ counts, positions, reason }: FeedStatus): string[] {
  return [
    '# HELP tachograph_feed_records_total Records read, by what the log-order filter made of them.',
    '# TYPE tachograph_feed_records_total counter',
    ...FILTER_OUTCOMES.map(
      (outcome) => `tachograph_feed_records_total{outcome="${outcome}"} ${counts[outcome]}`,
    ),
    '# HELP tachograph_feed_alarms_total Alarms of the log-order filter.',
    '# TYPE tachograph_feed_alarms_total counter',
    `tachograph_feed_alarms_total ${counts.alarms}`,
    '# HELP tachograph_feed_running 1 while the log can be read.',
    '# TYPE tachograph_feed_running gauge',
    `tachograph_feed_running ${reason === null ? 1 : 0}`,
    '# HELP tachograph_feed_position Offset up to which the filter has come.',
    '# TYPE tachograph_feed_position gauge',
    ...[...positions].map(
      ([partition, next]) => `tachograph_feed_position{partition="${partition}"} ${next}`,
    ),
  ];
}

/** By partition: the offset of the oldest record that can be read, and the one that the next record gets. */
export type LogEnds = ReadonlyMap<number, { readonly oldest: number; readonly next: number }>;

/** A position from before what was trimmed is behind by what there still is. */
function lagOf(positions: ReadonlyMap<number, number>, ends: LogEnds): Sample[] {
  return [...positions].flatMap(([partition, position]) => {
    const end = ends.get(partition);
    if (end === undefined) return [];
    const lag = Math.max(0, end.next - Math.max(position, end.oldest));
    return [[{ partition: String(partition) }, lag] satisfies Sample];
  });
}

type Sample = [labels: Record<string, string>, value: number];

function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  routes: readonly RouteStatus[],
  samples: (route: RouteStatus) => Sample[],
): string[] {
  const lines = routes.flatMap((route) =>
    samples(route).map(([labels, value]) => {
      // Names of routes and outcomes are of a-z, 0-9 and -: nothing in them needs escaping.
      const pairs = Object.entries({ route: route.name, ...labels }).map(([key, text]) => `${key}="${text}"`);
      return `${name}{${pairs.join(',')}} ${value}`;
    }),
  );
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}
