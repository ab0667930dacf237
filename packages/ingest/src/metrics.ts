import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AppendMetrics } from './context.ts';

/** What ingest counts, in base units. No device and no tenant is ever a label: their number has no bound. */
export type IngestMetrics = AppendMetrics & {
  readonly httpRequestEnded: (method: string, route: string, status: number, seconds: number) => void;
  /** An enrolment was decided: the status that it led to, or the code of its refusal. */
  readonly enrolmentDecided: (outcome: string) => void;
  readonly rateLimited: (limit: RateLimit) => void;
  /** Bytes that the process holds of requests are asked for whenever the figures are. */
  readonly heldBytesFrom: (read: () => HeldFigures) => void;
  /** Everything, in the text format of Prometheus. */
  readonly exposition: () => Promise<string>;
};

/** What a rate was of; `refusal` and `decision` turn away events of the tenant's log, the others requests. */
type RateLimit = 'device' | 'tenant' | 'revoked' | 'address' | 'restore' | 'refusal' | 'decision';

/** Bytes of bodies that arrive and are parsed, and of appends that wait for the log. */
type HeldFigures = { readonly bodies: number; readonly lanes: number };

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Figures of one server. `withProcess` adds those of the process, of which one server a process is enough. */
export function createMetrics({ withProcess }: { readonly withProcess: boolean }): IngestMetrics {
  const registry = new Registry();
  if (withProcess) collectDefaultMetrics({ register: registry });
  return {
    ...appendMetrics(registry),
    ...laneMetrics(registry),
    ...boundMetrics(registry),
    ...httpMetrics(registry),
    exposition: () => registry.metrics(),
  };
}

type LaneMetrics = Pick<
  AppendMetrics,
  'laneWrote' | 'laneWaiting' | 'laneRecovered' | 'laneLossFound' | 'laneLost' | 'outboxWaiting'
>;
type BoundMetrics = Pick<IngestMetrics, 'requestRefused' | 'heldBytesFrom'>;

function appendMetrics(registry: Registry): Omit<AppendMetrics, keyof LaneMetrics | keyof BoundMetrics> {
  const registers = [registry];
  const requests = new Histogram({
    name: 'tachograph_append_duration_seconds',
    help: 'Time to answer an append, by outcome.',
    labelNames: ['outcome'],
    buckets: SECONDS,
    registers,
  });
  const offered = new Counter({
    name: 'tachograph_append_offered_leaves_total',
    help: 'Leaves in appends that were answered, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const leaves = new Counter({
    name: 'tachograph_appended_leaves_total',
    help: 'Leaves appended to the log, by whether their content is a valid event.',
    labelNames: ['content'],
    registers,
  });
  const alarms = new Counter({
    name: 'tachograph_filter_alarms_total',
    help: 'Alarms of the log-order filter while ingest folded the log.',
    labelNames: ['kind'],
    registers,
  });
  return {
    requestEnded: (outcome, count, seconds) => {
      requests.observe({ outcome }, seconds);
      offered.inc({ outcome }, count);
    },
    leavesAppended: (accepted, rejected) => {
      leaves.inc({ content: 'valid' }, accepted);
      leaves.inc({ content: 'rejected' }, rejected);
    },
    filterAlarm: (kind) => alarms.inc({ kind }),
  };
}

function laneMetrics(registry: Registry): LaneMetrics {
  const registers = [registry];
  const writes = new Histogram({
    name: 'tachograph_lane_write_duration_seconds',
    help: 'Time for the log to settle one write of a lane.',
    buckets: SECONDS,
    registers,
  });
  const writtenBytes = new Counter({
    name: 'tachograph_lane_written_bytes_total',
    help: 'Encoded bytes that lanes have written.',
    registers,
  });
  const shared = new Counter({
    name: 'tachograph_lane_written_requests_total',
    help: 'Requests that the writes of lanes carried; over the number of writes, how many shared one.',
    registers,
  });
  const waiting = new Gauge({
    name: 'tachograph_lane_waiting_bytes',
    help: 'Encoded bytes that wait for a partition.',
    labelNames: ['partition'],
    registers,
  });
  const recovered = new Counter({
    name: 'tachograph_lane_recovered_records_total',
    help: 'Records of the log that were read to heal the registry.',
    labelNames: ['partition'],
    registers,
  });
  const losses = new Counter({
    name: 'tachograph_lane_losses_total',
    help: 'Times that the log did not hold what was settled: it was truncated, deleted or made anew.',
    labelNames: ['partition'],
    registers,
  });
  const lost = new Gauge({
    name: 'tachograph_lane_lost_events',
    help: 'Settled entries that the log does not hold any more.',
    labelNames: ['partition'],
    registers,
  });
  const outbox = new Gauge({
    name: 'tachograph_outbox_waiting_events',
    help: "Events of tenants' own logs that are not in the log yet.",
    registers,
  });
  return {
    laneWrote: (requests, bytes, seconds) => {
      writes.observe(seconds);
      writtenBytes.inc(bytes);
      shared.inc(requests);
    },
    laneWaiting: (partition, bytes) => waiting.set({ partition }, bytes),
    laneRecovered: (partition, records) => recovered.inc({ partition }, records),
    laneLossFound: (partition) => losses.inc({ partition }),
    laneLost: (partition, entries) => lost.set({ partition }, entries),
    outboxWaiting: (events) => outbox.set(events),
  };
}

function boundMetrics(registry: Registry): BoundMetrics {
  const registers = [registry];
  const refused = new Counter({
    name: 'tachograph_refused_requests_total',
    help: 'Appends turned away because something is full, away or too slow, by what.',
    labelNames: ['reason'],
    registers,
  });
  let read: () => HeldFigures = () => ({ bodies: 0, lanes: 0 });
  const held = new Gauge({
    name: 'tachograph_held_bytes',
    help: 'Bytes of requests that this process holds: bodies that arrive, and appends that wait for the log.',
    labelNames: ['where'],
    registers,
    collect: () => {
      for (const [where, bytes] of Object.entries(read())) held.set({ where }, bytes);
    },
  });
  return {
    requestRefused: (reason) => refused.inc({ reason }),
    heldBytesFrom: (source) => {
      read = source;
    },
  };
}

function httpMetrics(
  registry: Registry,
): Pick<IngestMetrics, 'httpRequestEnded' | 'enrolmentDecided' | 'rateLimited'> {
  const registers = [registry];
  const requests = new Histogram({
    name: 'tachograph_http_request_duration_seconds',
    help: 'Time to answer a request, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const enrolments = new Counter({
    name: 'tachograph_enrolments_total',
    help: 'Enrolments decided, by the status they led to or the code of their refusal.',
    labelNames: ['outcome'],
    registers,
  });
  const limited = new Counter({
    name: 'tachograph_rate_limited_requests_total',
    help: 'Requests turned away by a rate limit; for `refusal` and `decision`, facts that became no event.',
    labelNames: ['limit'],
    registers,
  });
  return {
    httpRequestEnded: (method, route, status, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    enrolmentDecided: (outcome) => enrolments.inc({ outcome }),
    rateLimited: (limit) => limited.inc({ limit }),
  };
}
