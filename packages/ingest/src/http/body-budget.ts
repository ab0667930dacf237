import type { Fault } from '@tachograph/wire';
import { HeldBytes } from '../held-bytes.ts';

/** The part of all held bytes that bodies may be, and the part of one sender: what waits for the log needs room, too. */
const READING_PART = 1 / 2;
const SENDER_PART = 1 / 4;
const HELD_BYTES_MAX = 128 * 1024 * 1024;

/** Seconds after which a request that found no room may come again. The client adds jitter. */
export const NO_ROOM_RETRY_SECONDS = 2;

export const NO_ROOM: Fault = { code: 'ERR_OVERLOADED', detail: 'too many bytes of requests are held' };

/** What one request holds of the budget. */
export type BodyClaim = {
  /** Asks for `bytes` more; where that is refused, nothing is taken. */
  readonly take: (bytes: number) => boolean;
  /** Gives everything back. It may be called again. */
  readonly release: () => void;
};

/**
 * Bounds the bytes of bodies that have arrived and are not done with. Each body has a limit of its own, but there is
 * none for the number of connections, and whoever sends slowly holds on to what they have sent. No sender gets all.
 */
export class BodyBudget {
  readonly #process: HeldBytes;
  readonly #limits: { readonly totalMax: number; readonly senderMax: number };
  readonly #refused: () => void;
  readonly #bySender = new Map<string, number>();
  #total = 0;

  /** @param refused is told of each request that finds no room */
  constructor(
    process = new HeldBytes(HELD_BYTES_MAX),
    limits: { readonly totalMax: number; readonly senderMax: number } = {
      totalMax: process.max * READING_PART,
      senderMax: process.max * SENDER_PART,
    },
    refused: () => void = () => undefined,
  ) {
    this.#process = process;
    this.#limits = limits;
    this.#refused = refused;
  }

  /** Bytes that are held now. */
  get heldBytes(): number {
    return this.#total;
  }

  open(sender: string): BodyClaim {
    let held = 0;
    return {
      take: (bytes) => {
        if (!this.#add(sender, bytes)) {
          this.#refused();
          return false;
        }
        held += bytes;
        return true;
      },
      release: () => {
        this.#give(sender, held);
        held = 0;
      },
    };
  }

  #add(sender: string, bytes: number): boolean {
    const ofSender = (this.#bySender.get(sender) ?? 0) + bytes;
    if (ofSender > this.#limits.senderMax || this.#total + bytes > this.#limits.totalMax) return false;
    if (!this.#process.take(bytes)) return false;
    this.#bySender.set(sender, ofSender);
    this.#total += bytes;
    return true;
  }

  #give(sender: string, bytes: number): void {
    const left = (this.#bySender.get(sender) ?? 0) - bytes;
    if (left > 0) this.#bySender.set(sender, left);
    else this.#bySender.delete(sender);
    this.#total -= bytes;
    this.#process.give(bytes);
  }
}
