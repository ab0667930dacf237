import {
  noteKey,
  parseOrigin,
  SIGNATURE_TYPE,
  verifyNote,
  type Bytes,
  type CheckpointNote,
} from '@tachograph/wire';
import type { FeedItem, FeedSource } from './feed-entry.ts';
import { FINDING_KINDS, FINDINGS, mergedFindings, type Finding, type FindingKind } from './finding.ts';
import { LogFacts } from './log-facts.ts';
import { LogOrder } from './log-order.ts';

/** What a feed shows of one device's log. */
export type LogReport = {
  readonly origin: string;
  readonly tenant: string;
  readonly device: string;
  /** Entries before this index are proven by a signature of the device, but for those that findings name. */
  readonly provenTo: number;
  /** Entries that the feed has. */
  readonly entries: number;
  /** Entries that stand in the predecessor's log, and are left out here. */
  readonly carried: number;
  readonly findings: readonly Finding[];
};

export type FeedReport = {
  readonly source: string;
  readonly logs: readonly LogReport[];
  /** Lines that are none of ours or damaged, with why, a hundred at most. */
  readonly unreadable: readonly { readonly place: string; readonly reason: string }[];
  readonly unreadableCount: number;
  /** What the exporter itself told, by action. Signed by nobody. */
  readonly notices: ReadonlyMap<string, number>;
};

export type VerifyOptions = {
  /** Public keys of the tenants' own logs, from the keys notes. */
  readonly logKeys: readonly Bytes[];
  /** The feed may begin in the middle of a log, as after retention: what is before is not missing. */
  readonly isPartial: boolean;
  /** Sizes that logs are known to have had, by origin, from checkpoints that ingest cosigned. */
  readonly heads: ReadonlyMap<string, CheckpointNote>;
  readonly progress?: (entries: number) => void;
};

const UNREADABLE_KEPT = 100;

/**
 * Checks a feed against the signatures of the devices, with nothing but public keys: per log, which entries are
 * proven, and which are missing, altered, doubled, at another place or erased. Memory: a few thousand hashes a log, and
 * entries that wait for one before them.
 */
export async function verifyFeed(source: FeedSource, options: VerifyOptions): Promise<FeedReport> {
  const run = new FeedRun(source, options);
  for await (const items of source.items()) {
    for (const item of items) run.take(item);
    options.progress?.(run.entries);
  }
  return run.end();
}

/** The exit code of a report: that of its gravest finding; 0 where there is none; 19 for lines that cannot be read. */
export function exitCodeOf({ logs, unreadableCount }: FeedReport): number {
  const kinds = new Set(logs.flatMap(({ findings }) => findings.map(({ kind }) => kind)));
  const gravest = FINDING_KINDS.find((kind) => kinds.has(kind));
  if (gravest !== undefined) return FINDINGS[gravest].code;
  return unreadableCount > 0 ? UNREADABLE_CODE : 0;
}

export const UNREADABLE_CODE = 19;

type Log = {
  readonly order: LogOrder;
  readonly findings: Finding[];
  entries: number;
  carried: number;
};

class FeedRun {
  readonly #source: FeedSource;
  readonly #options: VerifyOptions;
  readonly #facts = new LogFacts();
  readonly #logs = new Map<string, Log>();
  readonly #unreadable: { place: string; reason: string }[] = [];
  readonly #notices = new Map<string, number>();
  #unreadableCount = 0;
  entries = 0;

  constructor(source: FeedSource, options: VerifyOptions) {
    this.#source = source;
    this.#options = options;
  }

  take(item: FeedItem): void {
    if (item.kind === 'notice') {
      this.#notices.set(item.action, (this.#notices.get(item.action) ?? 0) + 1);
      return;
    }
    if (item.kind === 'unreadable') {
      this.#unreadableCount++;
      if (this.#unreadable.length < UNREADABLE_KEPT) {
        this.#unreadable.push({ place: item.place, reason: item.reason });
      }
      return;
    }
    const { entry } = item;
    if (item.kind === 'spare') {
      this.#log(entry.origin).order.spare(entry);
      return;
    }
    this.entries++;
    this.#facts.note(entry);
    const log = this.#log(entry.origin);
    log.entries++;
    log.order.take(entry);
  }

  async end(): Promise<FeedReport> {
    const logs: LogReport[] = [];
    for (const origin of this.#options.heads.keys()) this.#log(origin);
    for (const [origin, log] of this.#logs) logs.push(await this.#reportOn(origin, log));
    return {
      source: this.#source.name,
      logs: logs.toSorted((a, b) => (a.origin < b.origin ? -1 : 1)),
      unreadable: this.#unreadable,
      unreadableCount: this.#unreadableCount,
      notices: this.#notices,
    };
  }

  #log(origin: string): Log {
    const known = this.#logs.get(origin);
    if (known !== undefined) return known;
    const findings: Finding[] = [];
    const report = (kind: FindingKind, from: number, to: number, detail: string | null): void =>
      void findings.push({ kind, from, to, detail });
    const carriedHash = (index: number): Bytes | null => {
      const succession = this.#facts.successions.get(origin);
      if (succession === undefined || index < 1 || index > succession.count) return null;
      const predecessor = this.#logs.get(succession.predecessor);
      const hash = predecessor?.order.chain.hashAt(succession.carriedFrom + index - 1) ?? null;
      if (hash !== null) log.carried++;
      return hash;
    };
    const order = new LogOrder(origin, this.#source.isOrdered, carriedHash, report);
    const log: Log = { order, findings, entries: 0, carried: 0 };
    this.#logs.set(origin, log);
    return log;
  }

  async #reportOn(origin: string, log: Log): Promise<LogReport> {
    const { order, findings, entries, carried } = log;
    order.end();
    findings.push(...this.#missing(origin, order));
    const provenTo = await this.#prove(origin, order, findings);
    this.#compareHead(origin, order, findings);
    const parsed = parseOrigin(origin);
    const [tenant, device] = parsed.ok ? [parsed.value.tenant, parsed.value.device] : ['', origin];
    return { origin, tenant, device, provenTo, entries, carried, findings: mergedFindings(findings) };
  }

  #missing(origin: string, { missing, firstTaken }: LogOrder): Finding[] {
    const erased = this.#facts.erased.get(origin) ?? new Set<number>();
    const findings: Finding[] = [];
    for (const range of missing) {
      if (this.#options.isPartial && firstTaken !== null && range.to <= firstTaken) continue;
      findings.push(...partsOf(range, erased));
    }
    return findings;
  }

  /** Checks the newest signature that stands, and so everything before it. */
  async #prove(origin: string, { chain }: LogOrder, findings: Finding[]): Promise<number> {
    const newest = chain.checkpoints.at(-1);
    if (newest === undefined) return 0;
    for (const key of this.#options.logKeys) this.#facts.addKey(origin, key);
    const publicKey = this.#facts.publicKeys.get(origin);
    if (publicKey === undefined) {
      const detail = 'the key of the device is not in this feed: it stands in device.enrolled of the tenant';
      findings.push({ kind: 'unproven', from: 0, to: newest.size, detail });
      return 0;
    }
    const keys = [noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey)];
    for (const checkpoint of chain.checkpoints.toReversed()) {
      if (!(await verifyNote(checkpoint.note, keys))) continue;
      if (checkpoint !== newest) {
        findings.push({ kind: 'forged', from: checkpoint.size, to: newest.size, detail: null });
      }
      return checkpoint.size;
    }
    findings.push({ kind: 'forged', from: 0, to: newest.size, detail: null });
    return 0;
  }

  #compareHead(origin: string, { chain }: LogOrder, findings: Finding[]): void {
    const head = this.#options.heads.get(origin);
    if (head === undefined || head.size <= chain.next) return;
    const detail = `the log had ${head.size} entries when ingest gave its receipt`;
    findings.push({ kind: 'missing', from: chain.next, to: head.size, detail });
  }
}

/** What of a missing range was erased, and what is missing. */
function partsOf(
  { from, to }: { readonly from: number; readonly to: number },
  erased: ReadonlySet<number>,
): Finding[] {
  const within = [...erased].filter((index) => from <= index && index < to).toSorted((a, b) => a - b);
  const findings: Finding[] = [];
  let at = from;
  for (const index of within) {
    if (at < index) findings.push({ kind: 'missing', from: at, to: index, detail: null });
    findings.push({ kind: 'erased', from: index, to: index + 1, detail: null });
    at = index + 1;
  }
  if (at < to) findings.push({ kind: 'missing', from: at, to, detail: null });
  return findings;
}
