import type { Step } from '../step.ts';
import type { Receipt } from './rows.ts';

/**
 * What the exchanges with ingest tell about the connection. A page's own signal stays "online" behind a captive portal,
 * a firewall or a dead server, so an event is not stamped by that alone.
 */
export class Reach {
  #failed = false;
  #held: string | null = null;

  /** An exchange of this tab ended, while `receipt` was the newest one of the log. */
  ended(step: Step, receipt: Receipt | null): void {
    this.#failed = step.kind === 'setback' && step.cause === 'network';
    this.#held = nameOf(receipt);
  }

  /**
   * False where the latest exchange brought no answer of ingest's. Before the first one nothing speaks against it, and a
   * receipt that came since is an exchange, too: another tab's.
   */
  holds(receipt: Receipt | null): boolean {
    return !this.#failed || (receipt !== null && nameOf(receipt) !== this.#held);
  }
}

function nameOf(receipt: Receipt | null): string | null {
  return receipt === null ? null : `${receipt.size} ${receipt.time}`;
}
