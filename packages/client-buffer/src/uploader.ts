import type { DeviceId, ErrorCode } from '@tachograph/wire';
import { classifyAppend } from './core/answers.ts';
import { retryDelayMs } from './core/backoff.ts';
import { KEEPALIVE_LIMITS } from './core/replay-session.ts';
import { isSpent, type EnrolmentRow, type LogRow } from './core/rows.ts';
import { prepareAppend, type AppendRequest } from './append-request.ts';
import { AppendAnswers } from './append-answer.ts';
import type { CoreParts } from './core-parts.ts';
import type { Enroller } from './enroller.ts';
import { AuditBufferError } from './errors.ts';
import { sendAppend } from './exchange.ts';
import { Replay } from './replay.ts';
import { networkSetback, PROGRESS, setback, type Setback, type Step } from './step.ts';
import { openSuccessor } from './succession.ts';
import type { HttpAnswer } from './transport.ts';
import { UploadClaim } from './upload-claim.ts';

const NOTE_EVERY_MS = 60_000;
const CHECK_IN_MS = 5 * 60_000;
/** A page that is shown and hidden again and again need not check in each time. */
const RETURN_NOTE_MS = 5_000;
/** Exchanges in a row that succeed and move nothing, more than halving a batch ever takes. */
const CIRCLES_MAX = 20;
/** Waiting for an administrator: somebody is looking at the screen. */
const PENDING_RETRY_MS = 30_000;

/** Sends what waits, one batch after the other, until everything has its receipt. */
export class Uploader {
  readonly #parts: CoreParts;
  readonly #enroller: Enroller;
  readonly #replay: Replay;
  readonly #answers: AppendAnswers;
  readonly #claim: UploadClaim;
  readonly #onStep: (step: Step) => void;
  #running: Promise<Step> | null = null;
  #wanted = false;
  #stopped = false;
  #cancelTimer: () => void = () => undefined;
  #failures = 0;
  /** Monotonic milliseconds before which nothing is tried, and why. */
  #retryAt = 0;
  #setback: Setback | null = null;
  #notedAt = -Infinity;
  #notedWall = -Infinity;
  #notedFor: DeviceId | null = null;
  #checkInAt = 0;
  /** The log that looked damaged at the last look. */
  #damaged: DeviceId | null = null;

  constructor(parts: CoreParts, enroller: Enroller, onStep: (step: Step) => void) {
    this.#parts = parts;
    this.#enroller = enroller;
    this.#replay = new Replay(parts);
    this.#answers = new AppendAnswers(parts, this.#replay);
    this.#claim = new UploadClaim(parts);
    this.#onStep = onStep;
  }

  /** There may be something to send. Waits that were asked for are kept. */
  wake(): void {
    this.#wanted = true;
    if (this.#running === null) this.#schedule(Math.max(0, this.#retryAt - this.#now()));
  }

  /** The network may be back, or the page from sleep: a wait that only that caused is over, and so is one for the check-in. */
  networkMayBeBack(): void {
    if (this.#setback?.cause === 'network') this.#retryAt = 0;
    // By the wall clock, since the other one may have stood still: what was ordered or granted meanwhile is waiting.
    if (Math.abs(this.#parts.adapters.clock.wallMs() - this.#notedWall) >= RETURN_NOTE_MS)
      this.#checkInAt = 0;
    this.wake();
  }

  /** Enrolment or approval may have changed what ingest answers. */
  wakeNow(): void {
    this.#retryAt = 0;
    this.wake();
  }

  /** Asks ingest how things stand as soon as may be, and not at the next check-in: a lease may be had. */
  checkIn(): void {
    this.#checkInAt = 0;
    this.wake();
  }

  /** Tries now, whatever was to be waited for and whoever holds the claim, until all is sent or something is in the way. */
  async flush(): Promise<Step> {
    while (this.#running !== null) await this.#running;
    this.#retryAt = 0;
    return this.#start(true);
  }

  /** One small batch while the page goes away, if it can be had without reading a whole backlog. */
  async sendParting(): Promise<void> {
    const { log, enrolment } = this.#parts.state.rows;
    if (this.#running !== null || log === null || !isSendable(log, enrolment)) return;
    if (log.head.bytes === log.base.bytes || log.head.bytes - log.base.bytes > PARTING_BYTES_MAX) return;
    const session = await this.#replay.session(KEEPALIVE_LIMITS);
    if (typeof session === 'string') return;
    const end = session.after(session.device === log.device ? log.base.range.size : Infinity);
    if (end === null) return;
    const request = await prepareAppend(this.#parts, session, { end, withNote: false });
    if (typeof request !== 'string') await this.#exchange(request, true);
  }

  /** Ends uploading. It never rejects: what waits is in the store. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    while (this.#running !== null) await this.#running;
    try {
      await this.release();
    } catch (error) {
      // Closing does not fail for it: the claim expires by itself.
      this.#parts.quietly(Promise.reject(error));
    }
  }

  /** Lets another tab upload at once. */
  release(): Promise<void> {
    return this.#claim.release();
  }

  #now(): number {
    return this.#parts.adapters.clock.monotonicMs();
  }

  #schedule(ms: number): void {
    this.#cancelTimer();
    if (this.#stopped) return;
    this.#cancelTimer = this.#parts.adapters.timers.setTimeout(() => {
      if (this.#running === null) void this.#start(false);
    }, ms);
  }

  #start(force: boolean): Promise<Step> {
    this.#cancelTimer();
    this.#running = this.#run(force);
    return this.#running;
  }

  /** One run to its end, which is a step whatever fails: a run that stayed rejected would be the last of this tab. */
  async #run(force: boolean): Promise<Step> {
    let step: Step | null = null;
    try {
      step = await this.#loop(force);
      await this.release();
    } catch (error) {
      // A wait that ingest asked for is kept, even where the claim could not be given back.
      if (step?.kind !== 'setback') step = deviceSetback(error, 'ERR_STORAGE');
    } finally {
      this.#running = null;
    }
    // Whoever called `wake` after the loop's last look is not kept waiting for the next check-in.
    const settled = step.kind === 'idle' || step.kind === 'not-enrolled' || step.kind === 'closed';
    const delay = settled && this.#wanted ? 0 : this.#delayAfter(step);
    if (delay !== null) this.#schedule(delay);
    this.#onStep(step);
    return step;
  }

  async #loop(force: boolean): Promise<Step> {
    let [reached, circles] = [this.#reached(), 0];
    for (;;) {
      this.#wanted = false;
      const step = await this.#safeStep(force);
      if (this.#stopped) return step;
      if (step.kind === 'idle' && this.#wanted) continue;
      if (step.kind !== 'progress') return step;
      circles = this.#reached() === reached ? circles + 1 : 0;
      reached = this.#reached();
      // Something that answers, and never brings us on, is not asked as fast as it answers.
      if (circles === CIRCLES_MAX) return networkSetback('the exchange goes round in circles');
      if (circles === 0) this.#failures = 0;
      this.#setback = null;
      this.#onStep(step);
    }
  }

  /** What changes whenever an upload has come further. */
  #reached(): string {
    const { log, enrolment } = this.#parts.state.rows;
    return `${log?.device} ${log?.receipt?.size} ${log?.receipt?.time} ${enrolment?.status}`;
  }

  /** The store may fail at any place: that, too, is only a setback. */
  async #safeStep(force: boolean): Promise<Step> {
    try {
      return await this.#step(force);
    } catch (error) {
      return deviceSetback(error, 'ERR_INTERNAL');
    }
  }

  /** Milliseconds to the next attempt; `null` where only {@link wake} brings one. */
  #delayAfter(step: Step): number | null {
    if (step.kind === 'not-enrolled' || step.kind === 'closed') return null;
    if (step.kind === 'claimed') return step.retryMs;
    if (step.kind !== 'setback') return Math.max(0, this.#checkInAt - this.#now());
    this.#setback = step;
    this.#failures++;
    const { adapters } = this.#parts;
    const chance = adapters.random(4).reduce((sum, byte) => (sum + byte) / 256, 0);
    const delay =
      step.cause === 'refused'
        ? (step.retryAfterMs ?? (step.problem.code === 'ERR_DEVICE_PENDING' ? PENDING_RETRY_MS : CHECK_IN_MS))
        : retryDelayMs(this.#failures, chance, step.retryAfterMs);
    this.#retryAt = this.#now() + delay;
    return delay;
  }

  async #step(force: boolean): Promise<Step> {
    const claimed = await this.#claim.take(force);
    if (claimed !== null) return claimed;
    const { log, enrolment } = this.#parts.state.rows;
    if (log === null) return { kind: 'not-enrolled' };
    if (isSpent(log)) return { kind: 'closed' };
    if (enrolment?.device === log.device && enrolment.status === 'none' && enrolment.succession !== null)
      return this.#enrolSuccessor(enrolment.succession);
    if (!isSendable(log, enrolment)) return { kind: 'not-enrolled' };
    const session = await this.#replay.session();
    if (session === 'moved') return PROGRESS;
    if (session === 'damaged') return this.#takeDamage(log);
    const base = this.#parts.state.rows.log?.base ?? log.base;
    const next = this.#answers.wantsCheckIn ? null : session.after(base.range.size);
    if (this.#notedFor !== log.device) {
      // A log that is new has not been introduced: "A client sends it with its first append".
      this.#notedFor = log.device;
      [this.#notedAt, this.#checkInAt] = [-Infinity, 0];
    }
    const checkInDue = this.#now() >= this.#checkInAt || this.#answers.wantsCheckIn;
    if (next === null && !checkInDue) return { kind: 'idle' };
    const withNote = checkInDue || this.#now() - this.#notedAt >= NOTE_EVERY_MS;
    const request = await prepareAppend(this.#parts, session, { end: next ?? base, withNote });
    if (request === 'moved') return PROGRESS;
    if (request === 'damaged') return this.#takeDamage(log);
    this.#damaged = null;
    return this.#exchange(request, false);
  }

  async #exchange(request: AppendRequest, keepalive: boolean): Promise<Step> {
    const answer = await this.#send(request, keepalive);
    const classified = classifyAppend(answer, this.#parts.adapters.clock.wallMs());
    if (request.note !== null && (classified.kind === 'receipt' || classified.kind === 'conflict')) {
      this.#notedAt = this.#now();
      this.#notedWall = this.#parts.adapters.clock.wallMs();
      if (classified.kind === 'receipt')
        this.#checkInAt = this.#now() + (classified.extras.nextCheckInMs ?? CHECK_IN_MS);
    }
    const step = await this.#answers.take(request, classified);
    this.#parts.exchanged(step);
    // Until it verified, an answer has not happened: the check-in is still due. After a time without any, what waited
    // goes with a note: its time bounds rest on that.
    if (step.kind === 'setback' && (request.note !== null || step.cause === 'network')) this.#checkInAt = 0;
    return step;
  }

  async #send({ log, body }: AppendRequest, keepalive: boolean): Promise<HttpAnswer> {
    const end = this.#claim.keep();
    try {
      return await sendAppend(this.#parts, log.device, { body, keepalive });
    } finally {
      end();
    }
  }

  async #enrolSuccessor(succession: string): Promise<Step> {
    const result = await this.#enroller.enrol({ type: 'predecessor', succession });
    return typeof result === 'string' ? PROGRESS : result;
  }

  /** What looks damaged is read and computed once more from the start, before a log is given up for it. */
  async #takeDamage({ device }: LogRow): Promise<Step> {
    if (this.#damaged === device) await openSuccessor(this.#parts, device, 'corrupt');
    else this.#replay.restart();
    this.#damaged = device;
    return PROGRESS;
  }
}

const PARTING_BYTES_MAX = 512 * 1024;

function isSendable(log: LogRow, enrolment: EnrolmentRow | null): boolean {
  return enrolment?.device === log.device && enrolment.status !== 'none';
}

/** A failure on this device; `otherwise` is the code of one that names none. */
function deviceSetback(error: unknown, otherwise: ErrorCode): Setback {
  return error instanceof AuditBufferError
    ? setback('device', { code: error.code, detail: error.detail })
    : setback('device', { code: otherwise, detail: error instanceof Error ? error.message : String(error) });
}
