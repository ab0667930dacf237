import { LogMissingError } from '@tachograph/event-log';
import type { Position } from '../registry/settlement.ts';
import { pause } from '../timing.ts';
import { findLosses } from './losses.ts';
import { LogTruncatedError, type LanePorts } from './ports.ts';
import { checkWhole } from './whole.ts';

const LOOK_EVERY_MS = 2_000;
/** How many logs are named one by one when a partition is lost: `tachograph log lost` names all. */
const NAMED_MAX = 1_000;

/**
 * Looks every two seconds whether the partition still holds what was settled, also while nobody appends. Each look
 * compares what the one before it saw: also a log that was made anew and has grown just as far is found out.
 */
export async function watchWhole(
  ports: LanePorts,
  partition: number,
  lane: {
    /** `null` while the lane is reading: it sees for itself then. */
    readonly settled: () => Position | null;
    readonly lost: (error: Error) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  let seen: Position | null = null;
  for (;;) {
    await pause(ports.timing, LOOK_EVERY_MS, signal);
    if (signal.aborted) return;
    const settled = lane.settled();
    try {
      if (settled !== null) await checkWhole(ports.log, partition, seen ?? settled);
      seen = settled;
    } catch (error) {
      // A broker that is away says nothing about what it holds.
      if (isLoss(error)) lane.lost(error);
      else ports.logger.debug({ err: error, partition }, 'lane.look_failed');
    }
  }
}

function isLoss(error: unknown): error is LogTruncatedError | LogMissingError {
  return error instanceof LogTruncatedError || error instanceof LogMissingError;
}

/** Says once what a partition has lost, until it has been found whole again. */
export class ToldLosses {
  readonly #ports: LanePorts;
  readonly #partition: number;
  readonly #signal: AbortSignal;
  #isTold = false;

  constructor(ports: LanePorts, partition: number, signal: AbortSignal) {
    this.#ports = ports;
    this.#partition = partition;
    this.#signal = signal;
  }

  /** Tells where `error` is a loss. */
  tell(error: unknown): void {
    if (!isLoss(error) || this.#isTold) return;
    this.#isTold = true;
    this.#ports.metrics.laneLossFound(this.#partition);
    void nameLosses(this.#ports, this.#partition, this.#signal);
  }

  none(): void {
    this.#isTold = false;
    this.#ports.metrics.laneLost(this.#partition, 0);
  }
}

/** Logs and counts what a partition has lost, device by device. */
async function nameLosses(ports: LanePorts, partition: number, signal: AbortSignal): Promise<void> {
  const { logger, metrics } = ports;
  try {
    const found = await findLosses(ports, partition);
    if (found === null) return;
    const { losses, reason } = found;
    const entries = losses.reduce((sum, { from, to }) => sum + to - from, 0);
    metrics.laneLost(partition, entries);
    logger.fatal({ partition, reason, devices: losses.length, entries }, 'log.lost');
    for (const { origin, from, to } of losses.slice(0, NAMED_MAX))
      logger.fatal({ partition, origin, from, to }, 'log.entries_lost');
  } catch (error) {
    // Nobody waits for this when the node ends.
    if (!signal.aborted) logger.error({ err: error, partition }, 'log.losses_unknown');
  }
}
