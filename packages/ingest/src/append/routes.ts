import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { LIMITS, originOf, type DeviceId, type TenantId } from '@tachograph/wire';
import type { IngestContext } from '../context.ts';
import { senderOf } from '../core/network.ts';
import type { BodyClaim } from '../http/body-budget.ts';
import { RateLimiter } from '../http/rate-limit.ts';
import { route, type Answer, type Route } from '../http/route.ts';
import { deviceId, tenantId } from '../http/schemas.ts';
import type { Lanes } from '../lane/lanes.ts';
import type { LanePorts } from '../lane/ports.ts';
import { findDevice, tenantExists } from '../registry/devices.ts';
import { loadHeads, logId } from '../registry/heads.ts';
import { answerAppend } from './answer.ts';
import { DeviceVerifier } from './device-verifier.ts';
import { Leases } from './lease.ts';
import { AppendLimits } from './limits.ts';
import type { Receipts } from './receipts.ts';
import { admitAppend, findAddressed, receiveAppend, type SentAppend } from './request.ts';
import { adoptRestored, verifyRestore } from './restore.ts';
import { refusedUnseen, unread } from './unseen.ts';
import { StoredPolicies } from './stored-policies.ts';

const params = z.object({ tenant: tenantId, device: deviceId });

const appended = z.object({
  receipt: z.string().meta({ description: 'cosignature lines over the checkpoint that was sent' }),
  rejected: z.array(z.object({ index: z.int(), code: z.string() })),
  directives: z.array(z.string()),
  lease: z.string().optional(),
  keys: z.string().optional(),
  deviceStatus: z.string().optional(),
  nextCheckInSeconds: z.int(),
});

const hashText = z.string().max(64);
const restoreBody = z.object({
  publicKey: z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().max(64) }),
  checkpoint: z.string().max(LIMITS.noteBytesMax),
  range: z.array(hashText).max(64),
  proof: z.string().max(LIMITS.noteBytesMax),
});

export type AppendPorts = {
  readonly context: IngestContext;
  readonly lanes: Lanes;
  readonly lanePorts: LanePorts;
  readonly receipts: Receipts;
};

/** What devices send to their logs: appends and check-ins, and what ingest has lost. */
export function appendRoutes(ports: AppendPorts): Route[] {
  return [appendRoute(ports), restoreRoute(ports), checkpointRoute(ports)];
}

function appendRoute(ports: AppendPorts): Route {
  const { context } = ports;
  const serve = appendHandler(ports);
  return route({
    method: 'POST',
    path: '/v1/logs/{tenant}/{device}',
    operationId: 'append',
    tag: 'logs',
    summary: 'Append leaves to a log, or check in; the answer holds the receipt',
    access: 'device',
    params,
    body: 'append',
    answers: { 200: { description: 'Durable; or present, where there were no leaves', schema: appended } },
    errors: [
      'ERR_BODY_TOO_LARGE',
      'ERR_NOTE_TOO_LARGE',
      'ERR_LEAF_TOO_LARGE',
      'ERR_TOO_MANY_LEAVES',
      'ERR_APPEND',
      'ERR_LEAF_COUNT',
      'ERR_NOTE',
      'ERR_CHECKPOINT',
      'ERR_NUMBER',
      'ERR_NAME',
      'ERR_STATEMENT',
      'ERR_ENCODING',
      'ERR_ORIGIN_MISMATCH',
      'ERR_UNKNOWN_TENANT',
      'ERR_UNKNOWN_DEVICE',
      'ERR_RATE',
      'ERR_SIGNATURE',
      'ERR_DEVICE_PENDING',
      'ERR_SIZE_CONFLICT',
      'ERR_ROOT_MISMATCH',
      'ERR_OVERLOADED',
      'ERR_LOG_UNAVAILABLE',
      'ERR_LOG_TRUNCATED',
      'ERR_SHUTTING_DOWN',
    ],
    handle: async ({ params: log, address, request }) => {
      const startedMs = performance.now();
      const { clock, config, metrics } = context;
      let leaves = 0;
      let outcome = 'failed';
      try {
        // Where no lane takes anything, the body is not worth reading.
        const closed = refusedUnseen({ lanes: ports.lanes, metrics });
        const { bodyClaim: claim } = request;
        const sent = closed ?? (await receiveAppend(config.authority, log, request.raw, claim, clock));
        if (sent.ok) leaves = sent.value.append.leaves.length;
        const traceparent = traceparentOf(request.headers['traceparent']);
        const answer = sent.ok
          ? await serve(log, sent.value, { address, claim, traceparent })
          : unread(sent.fault);
        outcome = 'fault' in answer ? answer.fault.code : leaves === 0 ? 'check_in' : 'appended';
        return answer;
      } finally {
        // Also where something was thrown: no request is left out of the counts.
        metrics.requestEnded(outcome, leaves, (performance.now() - startedMs) / 1000);
      }
    },
  });
}

type Serve = (
  log: { tenant: TenantId; device: DeviceId },
  sent: SentAppend,
  from: { readonly address: string; readonly claim: BodyClaim; readonly traceparent: string | null },
) => Promise<Answer>;

/** 404, 429, 403; then the lane's 409, 422 and 503; then 200. A lane that takes nothing says so before the costly 403. */
function appendHandler({ context, lanes, receipts }: AppendPorts): Serve {
  const { config, registry, keys, metrics } = context;
  const verifier = new DeviceVerifier();
  const limits = new AppendLimits(context);
  const policies = new StoredPolicies();
  const answerPorts = { context, receipts, leases: new Leases(context, policies) };
  const later = { nextCheckInSeconds: config.checkInSeconds };
  return async (log, sent, { address, claim, traceparent }) => {
    const device = await findAddressed(registry.db, log);
    if (!device.ok) return { fault: device.fault, extras: later };
    const leaves = sent.append.leaves.length;
    const tooMany = limits.claimed(sent.origin, senderOf(address), leaves);
    if (tooMany !== null) return tooMany;
    const closed = refusedUnseen({ lanes, metrics }, device.value);
    if (closed !== null) return unread(closed.fault);
    const job = await admitAppend(verifier, keys, device.value, sent, traceparent);
    if (!job.ok) return { fault: job.fault, extras: later };
    const { quota } = policies.of(device.value.policy);
    const usedUp = limits.signed(sent.origin, log.tenant, quota, leaves);
    if (usedUp !== null) return usedUp;
    const slowed = device.value.status === 'revoked' ? limits.slowed(sent.origin, leaves) : null;
    if (slowed !== null) return slowed;
    // From here on the lane counts what is held, until it is done with it: also where the connection ends before.
    claim.release();
    const result = await lanes.submit(job.value, quota.waitingBytes ?? null);
    if (result.kind === 'settled') countLeaves(metrics, job.value.source.leaves);
    return answerAppend(answerPorts, { sent, device: device.value, job: job.value, address }, result);
  };
}

function countLeaves(
  metrics: IngestContext['metrics'],
  leaves: readonly { readonly content: { readonly kind: string } }[],
): void {
  const rejected = leaves.filter(({ content }) => content.kind === 'rejected').length;
  metrics.leavesAppended(leaves.length - rejected, rejected);
}

function restoreRoute({ context, lanes, lanePorts }: AppendPorts): Route {
  const perMinute = context.config.restoresPerMinute;
  const limiter = new RateLimiter({ perSecond: perMinute / 60, capacity: perMinute }, context.clock);
  return route({
    method: 'POST',
    path: '/v1/logs/{tenant}/{device}/restore',
    operationId: 'restore',
    tag: 'logs',
    summary: 'Bring back a receipt that ingest has lost',
    access: 'device',
    params,
    body: restoreBody,
    answers: {
      200: {
        description: 'The log is at this size here now, or was beyond it',
        schema: z.object({ device: z.string(), status: z.string(), size: z.int() }),
      },
    },
    errors: [
      'ERR_UNKNOWN_TENANT',
      'ERR_RESTORE',
      'ERR_SIGNATURE',
      'ERR_NOTE',
      'ERR_CHECKPOINT',
      'ERR_STATEMENT',
      'ERR_RATE',
      'ERR_LOG_UNAVAILABLE',
      'ERR_LOG_TRUNCATED',
      'ERR_SHUTTING_DOWN',
    ],
    handle: async ({ params: log, body, address }) => {
      // Each costs signatures, a reading of the log and a transaction, and a receipt is no secret.
      const within = limiter.take(senderOf(address));
      if (!within.ok) {
        context.metrics.rateLimited('restore');
        const { retryAfterSeconds } = within;
        const fault = { code: 'ERR_RATE', detail: 'too many restores from this address' } as const;
        return { fault, extras: { retryAfterSeconds } };
      }
      if (!(await tenantExists(context.registry.db, log.tenant))) {
        return { fault: { code: 'ERR_UNKNOWN_TENANT', detail: 'there is no tenant of this name' } };
      }
      const restored = await verifyRestore(context, log, body);
      if (!restored.ok) return { fault: restored.fault };
      const known = await findDevice(context.registry.db, log);
      const of = { tenant: log.tenant, installation: known?.installation ?? log.device };
      const closed = lanes.refusal(of);
      if (closed !== null) return unread(closed.fault);
      const partition = lanes.partitionOf(of.tenant, of.installation);
      const outcome = await adoptRestored(lanePorts, partition, restored.value);
      if (outcome.kind === 'unread') return unread(outcome.fault);
      const { origin } = restored.value;
      if (outcome.kind === 'contradicted') {
        context.logger.error({ origin }, 'restore.contradicted');
        return { fault: { code: 'ERR_RESTORE', detail: 'another state of this size was cosigned here' } };
      }
      if (outcome.lost !== null) context.logger.error({ origin, ...outcome.lost }, 'server.lost');
      context.tenantLog.wake();
      const head = (await loadHeads(context.registry.db, [log])).get(logId(log));
      const device = await findDevice(context.registry.db, log);
      return {
        status: 200,
        body: { device: log.device, status: device?.status ?? 'quarantined', size: head?.range.size ?? 0 },
      };
    },
  });
}

function checkpointRoute({ context, receipts }: AppendPorts): Route {
  return route({
    method: 'GET',
    path: '/v1/logs/{tenant}/{device}/checkpoint',
    operationId: 'checkpoint',
    tag: 'logs',
    summary: 'The newest cosigned checkpoint of a log',
    access: 'admin',
    params,
    answers: {
      200: { description: 'A note with cosignatures', schema: null, mediaType: 'text/plain; charset=utf-8' },
    },
    errors: ['ERR_UNKNOWN_DEVICE', 'ERR_NOT_FOUND'],
    handle: async ({ params: log }) => {
      const head = (await loadHeads(context.registry.db, [log])).get(logId(log));
      if (head === undefined || head.range.size === 0) {
        const device = await findAddressed(context.registry.db, log);
        return {
          fault: device.ok ? { code: 'ERR_NOT_FOUND', detail: 'the log is empty' } : device.fault,
        };
      }
      const origin = originOf(context.config.authority, log.tenant, log.device);
      return { status: 200, body: await receipts.note(origin, head.range, head.cosignedSeconds) };
    },
  });
}

/** W3C Trace Context, version 00; anything else is not passed on. */
function traceparentOf(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header)
    ? header
    : null;
}
