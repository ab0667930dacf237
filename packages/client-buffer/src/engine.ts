import { toBase64Url } from '@tachograph/wire';
import type { Adapters } from './adapters.ts';
import type {
  BufferConfig,
  BufferStatus,
  Credential,
  EnrolmentStatus,
  EventDetails,
  RecordedEntry,
} from './audit-buffer.ts';
import type { BufferNames } from './buffer-names.ts';
import { gapData } from './core/commit.ts';
import { purgeStatusOf } from './core/offline.ts';
import type { Problem } from './core/rows.ts';
import { ledgerOf, stateOf, type StateFacts } from './core/status.ts';
import { AuditBufferError } from './errors.ts';
import type { CoreParts } from './core-parts.ts';
import { Enroller } from './enroller.ts';
import { Keyring } from './keyring.ts';
import { LeafMaker } from './leaf-maker.ts';
import { OfflineCache } from './offline-cache.ts';
import type { CacheKeyAccess, OfflineAccess } from './offline-types.ts';
import { openLog, replaceSpentLog } from './open-log.ts';
import { Purger } from './purger.ts';
import { Recorder } from './recorder.ts';
import { Sealer } from './sealer.ts';
import { SharedState } from './shared-state.ts';
import { StatusListeners } from './status-listeners.ts';
import { Trust } from './trust.ts';
import type { Step } from './step.ts';
import { Uploader } from './uploader.ts';

const BYTES_MAX = 64 * 1024 * 1024;

/** One open buffer: puts the parts together, and says how it stands. */
export class Engine {
  readonly #adapters: Adapters;
  readonly #leaves: LeafMaker;
  readonly #parts: CoreParts;
  readonly #recorder: Recorder;
  readonly #uploader: Uploader;
  readonly #enroller: Enroller;
  readonly #cache: OfflineCache;
  readonly #purger: Purger;
  readonly #opened: Promise<void>;
  readonly #listeners = new StatusListeners(() => this.status());
  readonly #ends: (() => void)[] = [];
  #phase: StateFacts['phase'] = 'opening';
  #enrolling = 0;
  #lastStep: Step | null = null;
  #reported: Problem | null = null;
  #closing: Promise<void> | null = null;

  constructor(config: Omit<BufferConfig, 'events'>, names: BufferNames, adapters: Adapters) {
    this.#adapters = adapters;
    const state = new SharedState(adapters.store);
    const boot = toBase64Url(adapters.random(12));
    this.#leaves = new LeafMaker(adapters, state, boot, config.app);
    this.#parts = this.#assemble(names, [config.directiveKey ?? []].flat(), { state, boot });
    this.#recorder = new Recorder(state, {
      bytesMax: config.bytesMax ?? BYTES_MAX,
      whenFull: config.whenFull ?? 'gap',
      gapLeaf: (gap) => this.#leaves.own({ action: 'buffer.gap', data: gapData(gap) }),
      onCommitted: () => this.#afterCommit(),
      onFailed: (error) => this.#report(error),
    });
    this.#enroller = new Enroller(this.#parts, config.installation);
    this.#uploader = new Uploader(this.#parts, this.#enroller, (step) => this.#afterStep(step));
    this.#cache = new OfflineCache(this.#parts, config.cache);
    this.#purger = new Purger(this.#parts, config.cache);
    state.onRows(() => this.#listeners.notify());
    this.#opened = this.#open();
  }

  record(action: string, details: EventDetails<unknown>, data: unknown): RecordedEntry {
    const { actor, targets, outcome, session } = details;
    const leaf = this.#leaves.event({ action, actor, targets, outcome, session, data });
    const entry = this.#recorder.record(leaf.id, leaf.bytes, leaf.wallMs);
    this.#listeners.notify();
    return entry;
  }

  async enrol(credential: Credential): Promise<EnrolmentStatus> {
    await this.#opened;
    this.#assertOpen();
    this.#enrolling++;
    this.#listeners.notify();
    try {
      await replaceSpentLog(this.#parts);
      const result = await this.#enroller.enrol(credential);
      if (typeof result !== 'string') {
        this.#lastStep = result;
        throw new AuditBufferError(result.problem.code, result.problem.detail);
      }
      this.#lastStep = { kind: 'progress' };
      return result;
    } finally {
      this.#enrolling--;
      this.#listeners.notify();
      this.#uploader.wakeNow();
    }
  }

  async flush(): Promise<void> {
    await this.#opened;
    this.#assertOpen();
    await this.#recorder.idle();
    const step = await this.#uploader.flush();
    if (step.kind === 'setback') throw new AuditBufferError(step.problem.code, step.problem.detail);
    if (step.kind === 'not-enrolled')
      throw new AuditBufferError('ERR_UNKNOWN_DEVICE', 'this device is not enrolled; everything waits');
    if (step.kind !== 'idle' && step.kind !== 'closed')
      throw new AuditBufferError('ERR_BUFFER_CLOSED', 'the buffer was closed while it sent');
  }

  async offlineAccess(scope: string): Promise<OfflineAccess> {
    await this.#opened;
    this.#assertOpen();
    return this.#cache.access(scope);
  }

  async cacheKey(scope: string): Promise<CacheKeyAccess> {
    await this.#opened;
    this.#assertOpen();
    return this.#cache.key(scope);
  }

  async reportInventory(): Promise<void> {
    await this.#opened;
    this.#assertOpen();
    return this.#cache.reportInventory();
  }

  status(): BufferStatus {
    const { rows, store } = this.#parts.state;
    const receipt = rows.log?.receipt ?? null;
    return {
      state: stateOf({
        phase: this.#phase,
        storeDurable: store.durable,
        enrolling: this.#enrolling > 0,
        lastStep: this.#lastStep,
        rows,
      }),
      ledger: ledgerOf(rows, this.#recorder.waiting, this.#recorder.unwritten),
      origin: rows.log?.origin ?? null,
      purge: purgeStatusOf(rows.cache),
      receipt:
        receipt === null ? null : { size: receipt.size, time: receipt.time, checkpoint: receipt.source },
      problem: this.#lastStep?.kind === 'setback' ? this.#lastStep.problem : this.#reported,
    };
  }

  subscribe(listener: (status: BufferStatus) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#opened;
    await this.#recorder.idle();
    this.#recorder.fail(new AuditBufferError('ERR_BUFFER_CLOSED', 'the buffer was closed'));
    for (const end of this.#ends) end();
    this.#cache.stop();
    await this.#purger.stop();
    await this.#uploader.stop();
    this.#phase = 'closed';
    this.#adapters.tabs.close();
    this.#parts.state.store.close();
    this.#listeners.notify();
  }

  #assemble(
    { authority, tenant }: BufferNames,
    directiveKeys: readonly string[],
    { state, boot }: Pick<CoreParts, 'state' | 'boot'>,
  ): CoreParts {
    const keyring = new Keyring(state, authority, tenant);
    return {
      adapters: this.#adapters,
      authority,
      tenant,
      state,
      keyring,
      sealer: new Sealer(state, keyring),
      trust: new Trust(state, authority, directiveKeys),
      boot,
      libraryLeaf: (leaf, device) => this.#leaves.own(leaf, device),
      committed: () => this.#afterCommit(),
      checkIn: () => this.#uploader.checkIn(),
      quietly: (work) => this.#quietly(work),
      exchanged: (step) => this.#leaves.exchanged(step),
      report: (problem) => this.#report(problem),
    };
  }

  async #open(): Promise<void> {
    try {
      const fellBack = await openLog(this.#parts);
      if (fellBack !== null) this.#report(fellBack);
    } catch (error) {
      this.#phase = 'failed';
      const known =
        error instanceof AuditBufferError
          ? error
          : new AuditBufferError('ERR_INTERNAL', 'the buffer did not open', { cause: error });
      this.#recorder.fail(known);
      this.#report(known);
      return;
    }
    this.#phase = 'open';
    const { page, tabs } = this.#adapters;
    tabs.listen(() => this.#catchUp());
    this.#ends.push(
      page.onReturn(() => {
        this.#uploader.networkMayBeBack();
        // Timers stood still, and time did not.
        this.#quietly(this.#cache.tick());
      }),
      page.onHide(() => this.#quietly(this.#part())),
    );
    this.#recorder.start();
    // A head that was committed and not signed before a crash is signed now.
    this.#quietly(this.#parts.sealer.seal());
    this.#quietly(this.#cache.start());
    this.#uploader.wake();
    this.#listeners.notify();
  }

  #afterCommit(): void {
    // The disk works again; that it is only memory stays true.
    if (this.#parts.state.store.durable && this.#reported?.code.startsWith('ERR_STORAGE')) this.#report(null);
    this.#quietly(this.#parts.sealer.seal());
    this.#uploader.wake();
    this.#adapters.tabs.announce();
    this.#listeners.notify();
  }

  #afterStep(step: Step): void {
    this.#lastStep = step;
    if (step.kind === 'progress') this.#recorder.declareGap();
    this.#listeners.notify();
  }

  /** The page is hidden, and perhaps about to end: what is small is sent, and the other tabs need not wait for this one. */
  async #part(): Promise<void> {
    // Both at once: a page that goes away lives to see the start of each, not the end of the first.
    await Promise.all([this.#uploader.release(), this.#uploader.sendParting()]);
  }

  /** Another tab changed the store. */
  #catchUp(): void {
    if (this.#phase !== 'open') return;
    this.#quietly(this.#parts.state.read());
    this.#uploader.wake();
  }

  #assertOpen(): void {
    if (this.#phase === 'open') return;
    const { code, detail } = this.#reported ?? { code: 'ERR_BUFFER_CLOSED', detail: 'the buffer was closed' };
    throw new AuditBufferError(this.#phase === 'closed' ? 'ERR_BUFFER_CLOSED' : code, detail);
  }

  #report(problem: Problem | null): void {
    this.#reported = problem === null ? null : { code: problem.code, detail: problem.detail };
    this.#listeners.notify();
  }

  /** Background work: its failure is reported, and tried again on the next occasion. */
  #quietly(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (this.#phase === 'closed') return;
      const detail = error instanceof Error ? error.message : String(error);
      this.#report(error instanceof AuditBufferError ? error : { code: 'ERR_INTERNAL', detail });
    });
  }
}
