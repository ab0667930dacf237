import { assertNever } from '@tachograph/wire';
import type { IngestContext } from '../context.ts';
import type { Answer } from '../http/route.ts';
import { keyOf, type AppendJob, type JobResult } from '../lane/job.ts';
import { openDirectives, type KnownDevice } from '../registry/devices.ts';
import type { Head } from '../registry/heads.ts';
import { findRejections } from '../registry/settlement.ts';
import { checkForFork } from './fork-check.ts';
import type { Leases } from './lease.ts';
import type { Receipts } from './receipts.ts';
import type { SentAppend } from './request.ts';

/** Seconds after which a request that this node could not settle may come again. The client adds jitter. */
const RETRY_AFTER_SECONDS = 2;

export type AnswerPorts = {
  readonly context: IngestContext;
  readonly receipts: Receipts;
  readonly leases: Leases;
};

/** Everything that answers to one request are made from. */
export type Answering = {
  readonly sent: SentAppend;
  readonly device: KnownDevice;
  readonly job: AppendJob;
  readonly address: string;
};

/** What the device is told, as PROTOCOL "Answers" has it. */
export async function answerAppend(
  ports: AnswerPorts,
  answering: Answering,
  result: JobResult,
): Promise<Answer> {
  const { job, sent } = answering;
  const { origin, claim } = job.source;
  switch (result.kind) {
    case 'settled': {
      const receipt = await ports.receipts.lines(origin, claim.size, claim.root, result.cosignedSeconds);
      return {
        status: 200,
        body: { receipt, rejected: rejectedIn(job), ...(await extras(ports, answering)) },
      };
    }
    case 'conflict':
    case 'mismatch':
      await checkForFork(ports.context, ports.receipts, job, sent.append.checkpoint, result.head);
      return disagree(ports, answering, result.kind, result.head);
    case 'refused':
      return { fault: result.fault, extras: { retryAfterSeconds: RETRY_AFTER_SECONDS } };
    default:
      return assertNever(result);
  }
}

async function disagree(
  ports: AnswerPorts,
  answering: Answering,
  kind: 'conflict' | 'mismatch',
  head: Head,
): Promise<Answer> {
  const { job, sent } = answering;
  const { size } = head.range;
  const checkpoint =
    size === 0 ? null : await ports.receipts.note(job.source.origin, head.range, head.cosignedSeconds);
  const rejected = await findRejections(ports.context.registry.db, keyOf(job), sent.append.old, size);
  return {
    fault:
      kind === 'conflict'
        ? { code: 'ERR_SIZE_CONFLICT', detail: `the log has ${size} leaves here` }
        : { code: 'ERR_ROOT_MISMATCH', detail: 'the root does not follow from the log and these leaves' },
    extras: { size, checkpoint, rejected, ...(await extras(ports, answering)) },
  };
}

function rejectedIn(job: AppendJob): { index: number; code: string }[] {
  return job.source.leaves.flatMap(({ content }, i) =>
    content.kind === 'rejected' ? [{ index: job.source.claim.old + i, code: content.code }] : [],
  );
}

/** What goes with every answer, and what only an answer to a request note has. */
async function extras({ context, leases }: AnswerPorts, { sent, device, address }: Answering) {
  const directives = await openDirectives(context.registry.db, device);
  const base = { directives, nextCheckInSeconds: context.config.checkInSeconds };
  if (sent.request === null) return base;
  const { receivedAt } = sent;
  const from = { address, receivedAt };
  const { status, lease } = await leases.grant(sent.origin, device, sent.request.statement, from);
  const extra = { deviceStatus: status, keys: context.keys.keysNote };
  if (lease === null) return { ...base, ...extra };
  // Two check-ins may be lost before a device that is online all the time loses its lease.
  const renewSeconds = Math.max(1, Math.floor(lease.blockAfterSeconds / 3));
  const nextCheckInSeconds = Math.min(base.nextCheckInSeconds, renewSeconds);
  return { ...base, ...extra, nextCheckInSeconds, lease: lease.note };
}
