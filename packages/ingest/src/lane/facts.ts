import type { LeafWindow } from '@tachograph/event-log';
import { bytesEqual } from '@tachograph/wire';
import { entryId, type AppendFacts } from '../core/append-records.ts';
import type { Admitted } from '../core/append-plan.ts';
import type { Carried } from '../core/leaf-content.ts';
import { findIssued, issuedId, type Issued } from '../registry/cosigned.ts';
import { loadHeads, loadWindow, logId, type Head, type LogKey } from '../registry/heads.ts';
import type { LanePorts } from './ports.ts';
import { keyOf, type AppendJob } from './job.ts';

/** What the records of one job say beyond it. */
export type JobFacts = Omit<AppendFacts, 'edge'>;

/** The carried leaves of a successor: known from its head, or from the `log.opened` that this append begins with. */
export function carriedBy(job: AppendJob, head: Head | undefined): Carried | null {
  if (job.predecessor === null) return null;
  if (head?.carried) return head.carried;
  const first = job.source.claim.old === 0 ? job.source.leaves[0]?.content : undefined;
  return first?.kind === 'event' ? first.carried : null;
}

/** Looks up what the records of all admitted jobs need, with one query for all of them where one is needed. */
export async function gatherFacts(
  ports: LanePorts,
  admitted: readonly Admitted<AppendJob>[],
  heads: ReadonlyMap<string, Head>,
): Promise<JobFacts[]> {
  const claimed = admitted.flatMap(({ job }) => seenBy(job, heads));
  const issued = await findIssued(ports.registry.db, claimed);
  return Promise.all(
    admitted.map(async ({ job }) => {
      const head = heads.get(logId(keyOf(job)));
      const duplicateOf = await duplicates(ports, job, head);
      return {
        receipt:
          head === undefined || head.range.size === 0
            ? null
            : await ports.cosigned(job.source.origin, head.range, head.cosignedSeconds),
        earliestOf: (leaf, index) => {
          const claim = seenReceipt(job, head, leaf.content, index);
          if (claim === null) return null;
          const known = isOwnHead(claim, job, head) || issued.has(issuedId(claim));
          return known ? claim.timeSeconds * 1000 : null;
        },
        duplicateOf,
      } satisfies JobFacts;
    }),
  );
}

/** The receipts that the leaves claim to have seen, but for the head's own, which needs no query. */
function seenBy(job: AppendJob, heads: ReadonlyMap<string, Head>): Issued[] {
  const head = heads.get(logId(keyOf(job)));
  const distinct = new Map<string, Issued>();
  for (const [i, leaf] of job.source.leaves.entries()) {
    const claim = seenReceipt(job, head, leaf.content, job.source.claim.old + i);
    if (claim !== null && !isOwnHead(claim, job, head)) distinct.set(issuedId(claim), claim);
  }
  return [...distinct.values()];
}

function seenReceipt(
  job: AppendJob,
  head: Head | undefined,
  content: AppendJob['source']['leaves'][number]['content'],
  index: number,
): Issued | null {
  if (content.kind === 'rejected' || content.seen === null) return null;
  const carried = carriedBy(job, head);
  // A carried leaf saw a receipt of the log that it was recorded in.
  const isCarried = carried !== null && index >= 1 && index <= carried.count;
  const device = isCarried && job.predecessor !== null ? job.predecessor : job.source.device;
  return { tenant: job.source.tenant, device, ...content.seen };
}

function isOwnHead(claim: Issued, job: AppendJob, head: Head | undefined): boolean {
  return (
    head !== undefined &&
    claim.device === job.source.device &&
    claim.size === head.range.size &&
    claim.timeSeconds === head.cosignedSeconds
  );
}

async function duplicates(
  ports: LanePorts,
  job: AppendJob,
  head: Head | undefined,
): Promise<AppendFacts['duplicateOf']> {
  const carried = carriedBy(job, head);
  if (carried === null || job.predecessor === null || job.source.claim.old > carried.count) return () => null;
  const predecessor = { tenant: job.source.tenant, device: job.predecessor };
  const window = await windowOf(ports, predecessor);
  return (leaf, index) => {
    if (index < 1 || index > carried.count) return null;
    const there = carried.from + index - 1;
    const accepted = window?.hashes[there - window.from.size];
    return accepted !== undefined && bytesEqual(accepted, leaf.hash)
      ? entryId(predecessor.device, there, accepted)
      : null;
  };
}

async function windowOf(ports: LanePorts, key: LogKey): Promise<LeafWindow | null> {
  const head = (await loadHeads(ports.registry.db, [key])).get(logId(key));
  return head === undefined ? null : loadWindow(ports.registry.db, key, head.range);
}
