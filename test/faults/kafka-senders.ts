import { setTimeout as delay } from 'node:timers/promises';
import {
  parseCheckpointNote,
  parseVkey,
  rootOf,
  verifyCosignature,
  verifyReceipt,
  type NoteKey,
} from '@tachograph/wire';
import { post, type Answer, type TestDevice } from '../support/device.ts';
import type { Served } from '../support/serve.ts';

const RETRY_MS = 50;
const ATTEMPTS_MAX = 2_000;

/**
 * A device that sends what it has until it holds a receipt for it, as the protocol tells a client to; and nothing
 * counts as acknowledged but what a verified cosignature covers.
 */
export class Sender {
  readonly device: TestDevice;
  readonly #server: Served;
  readonly #keys: readonly NoteKey[];
  #acknowledged = 0;
  /** What the server has answered, by status. */
  readonly answers = new Map<number, number>();

  constructor(server: Served, device: TestDevice, keys: readonly NoteKey[]) {
    this.#server = server;
    this.device = device;
    this.#keys = keys;
  }

  /** How many leaves have a receipt. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Sends until the first `size` leaves have a receipt. */
  async sendUpTo(size: number): Promise<void> {
    for (let attempt = 0; this.#acknowledged < size; attempt++) {
      if (attempt > ATTEMPTS_MAX) throw new Error(`${this.device.origin} got no receipt for ${size}`);
      const { status } = await this.attempt(size);
      if (status === 429 || status === 503) await delay(RETRY_MS);
    }
  }

  /** Sends what has no receipt, up to `size`, once. */
  async attempt(size: number): Promise<Answer> {
    const { device } = this;
    const answer = await post(
      `${this.#server.url}${device.path}`,
      await device.append(this.#acknowledged, size),
    );
    this.answers.set(answer.status, (this.answers.get(answer.status) ?? 0) + 1);
    await this.#learn(answer, size);
    return answer;
  }

  async #learn({ status, body }: Answer, size: number): Promise<void> {
    switch (status) {
      case 200: {
        const receipt = await verifyReceipt(
          await this.device.checkpointNote(size),
          String(body['receipt']),
          this.#keys,
        );
        if (receipt === null) throw new Error(`a receipt for ${size} that does not verify`);
        this.#acknowledged = size;
        return;
      }
      case 409:
        this.#acknowledged = await this.#cosignedSize(String(body['checkpoint']));
        return;
      case 429:
      case 503:
        return;
      default:
        throw new Error(`${status}: ${JSON.stringify(body)}`);
    }
  }

  /** The size of a cosigned checkpoint, which has to be one of this device's states, and no older one. */
  async #cosignedSize(checkpoint: string): Promise<number> {
    const parsed = parseCheckpointNote(checkpoint);
    if (!parsed.ok) throw new Error(parsed.fault.detail);
    const { size, root, note } = parsed.value;
    const cosigned = await verifyCosignature(parsed.value, note.signatures, this.#keys);
    const isOwn = Buffer.from(root).equals(rootOf(this.device.range(size)));
    if (cosigned === null || !isOwn || size < this.#acknowledged)
      throw new Error(`ingest is at ${size}, the receipt at ${this.#acknowledged}`);
    return size;
  }
}

/** The keys that receipts are verified with. */
export async function cosignerKeys(server: Served): Promise<NoteKey[]> {
  const { keys } = (await (await fetch(`${server.url}/v1/keys`)).json()) as { keys: string };
  return keys.split('\n').flatMap((line) => {
    const parsed = parseVkey(line);
    return parsed.ok ? [parsed.value] : [];
  });
}
