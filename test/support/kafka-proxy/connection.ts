import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultPlan } from './faults.ts';
import { apiNameOf, correlationIdOf, FrameSplitter, requestHeadOf, type ApiName } from './frames.ts';

type Pending = { readonly api: ApiName | null; readonly fault: Fault | null };

/** One client's connection to one broker, frame by frame. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #broker: Socket;
  readonly #plan: FaultPlan;
  readonly #requests = new FrameSplitter();
  readonly #responses = new FrameSplitter();
  /** Forwarded, and not answered yet, by correlation id. */
  readonly #pending = new Map<number, Pending>();
  /** What is written to either side waits for what was to be written before. */
  #toBroker: Promise<void> = Promise.resolve();
  #toClient: Promise<void> = Promise.resolve();
  #clientGone = false;

  constructor(client: Socket, broker: Socket, plan: FaultPlan) {
    this.#client = client;
    this.#broker = broker;
    this.#plan = plan;
    for (const socket of [client, broker]) socket.setNoDelay(true);
    // A socket's `close` follows its error, and says all that matters here.
    client.on('error', () => client.destroy());
    // A broker that cannot be reached refuses connections, which a proxy cannot; a reset comes nearest. Clients take
    // an orderly end for something else: kafkajs goes on asking the same broker then.
    broker.on('error', () => client.resetAndDestroy());
    client.on('data', (chunk: Buffer) => this.#split(this.#requests, chunk, (frame) => this.#request(frame)));
    broker.on('data', (chunk: Buffer) =>
      this.#split(this.#responses, chunk, (frame) => this.#response(frame)),
    );
    client.on('close', () => {
      this.#clientGone = true;
      this.#endWhenAnswered();
    });
    broker.on('close', () => this.#sendToClient(Promise.resolve(), () => client.destroy()));
  }

  cut(): void {
    this.#client.destroy();
    this.#broker.destroy();
  }

  #split(splitter: FrameSplitter, chunk: Buffer, take: (frame: Buffer) => void): void {
    try {
      for (const frame of splitter.push(chunk)) take(frame);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.cut();
    }
  }

  #request(frame: Buffer): void {
    const head = requestHeadOf(frame);
    const api = apiNameOf(head);
    const fault = api === null ? null : this.#plan.meet(api);
    if (fault?.kind === 'cut-before') {
      this.cut();
      return;
    }
    this.#pending.set(head.correlationId, { api, fault });
    const gate = fault?.kind === 'hold-request' ? this.#plan.hold() : Promise.resolve();
    this.#toBroker = inTurn(this.#toBroker, gate, () => {
      if (this.#broker.writable) this.#broker.write(frame);
    });
  }

  #response(frame: Buffer): void {
    const id = correlationIdOf(frame);
    const { api, fault } = this.#pending.get(id) ?? { api: null, fault: null };
    this.#pending.delete(id);
    if (api !== null) this.#plan.answered(api);
    this.#passOn(frame, fault);
    if (this.#clientGone) this.#endWhenAnswered();
  }

  #passOn(frame: Buffer, fault: Fault | null): void {
    switch (fault?.kind) {
      case 'swallow':
        return;
      case 'cut-after':
        this.#sendToClient(Promise.resolve(), () => this.cut());
        return;
      case 'cut-within':
        this.#sendToClient(Promise.resolve(), () => {
          this.#client.write(frame.subarray(0, frame.length / 2), () => this.cut());
        });
        return;
      case 'delay':
        this.#sendToClient(delay(fault.ms), () => this.#client.write(frame));
        return;
      case 'hold-response':
        this.#sendToClient(this.#plan.hold(), () => this.#client.write(frame));
        return;
      default:
        this.#sendToClient(Promise.resolve(), () => this.#client.write(frame));
    }
  }

  #sendToClient(when: Promise<void>, send: () => void): void {
    this.#toClient = inTurn(this.#toClient, when, () => {
      if (this.#client.writable) send();
    });
  }

  /** A client that has gone does not take back what it has sent: the broker still gets that, and only then the end. */
  #endWhenAnswered(): void {
    if (this.#pending.size === 0) this.#broker.end();
  }
}

/** Does `work` when what was before it is done and it may go on itself. */
async function inTurn(before: Promise<void>, gate: Promise<void>, work: () => void): Promise<void> {
  await before;
  await gate;
  work();
}
