import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { nextAppends } from './device.mjs';

const NEWCOMER_MS = 10;
/** Real clients wait for as long as Retry-After says; these hardly do, so that the load stays full. */
const PAUSE_MS = 20;

/**
 * Load that goes on whatever it is answered: an append that was refused is sent again until it is settled, and one
 * that was settled without an answer is found out by the 409 that follows.
 */
export class OutageLoad {
  /** Every answer: when it came, its status, after how many milliseconds, and how many events it settled. */
  answers = [];
  #busy;
  #newcomers;
  #busyEvents;
  #agent = new Agent({ keepAlive: true, maxSockets: 1_000 });
  #isStopped = false;

  constructor(busy, newcomers, busyEvents) {
    this.#busy = busy;
    this.#newcomers = newcomers;
    this.#busyEvents = busyEvents;
  }

  stop() {
    this.#isStopped = true;
    this.#agent.destroy();
  }

  eventsBetween(from, to) {
    let events = 0;
    for (const answer of this.answers) if (answer.at >= from && answer.at < to) events += answer.events;
    return events;
  }

  /** As fast as it is answered, until `end`. */
  full() {
    let isOver = false;
    const goesOn = () => !isOver && !this.#isStopped;
    const loops = this.#busy.map(async (device) => {
      while (goesOn()) await this.#settle(device, this.#busyEvents, goesOn);
    });
    const idle = [...this.#newcomers];
    const newcomers = [];
    const timer = setInterval(() => {
      const device = idle.shift();
      if (device === undefined) return;
      newcomers.push(this.#once(device).finally(() => idle.push(device)));
    }, NEWCOMER_MS);
    return {
      end: async () => {
        isOver = true;
        clearInterval(timer);
        await Promise.all([...loops, ...newcomers]);
      },
    };
  }

  /** `perSecond` appends at even times for `ms`; the waits, counted from when each was to be sent. */
  async paced(perSecond, ms) {
    const waits = [];
    const start = performance.now();
    const apartMs = (this.#busy.length / perSecond) * 1000;
    await Promise.all(
      this.#busy.map(async (device, i) => {
        for (let due = start + (i / this.#busy.length) * apartMs; due < start + ms; due += apartMs) {
          await this.#prepare(device, this.#busyEvents);
          const early = due - performance.now();
          if (early > 0) await delay(early);
          await this.#settle(device, this.#busyEvents, () => !this.#isStopped);
          waits.push(performance.now() - due);
        }
      }),
    );
    return waits;
  }

  async #settle(device, events, goesOn) {
    while (!(await this.#once(device, events)) && goesOn()) await delay(PAUSE_MS);
  }

  /** Sends the device's next append, or the one that is not settled yet; whether it is now. */
  async #once(device, events = 1) {
    await this.#prepare(device, events);
    const { body, size } = device.next;
    const sent = performance.now();
    const { status, text } = await this.#post(device.address, body);
    const isSettled = status === 200 || (status === 409 && JSON.parse(text).size === size);
    if (status === 409 && !isSettled) throw new Error(`the log has another size: ${text}`);
    if (isSettled) device.next = null;
    const at = performance.now();
    this.answers.push({ at, status, ms: at - sent, events: isSettled ? events : 0 });
    return isSettled;
  }

  async #prepare(device, events) {
    if (device.next) return;
    const [body] = await nextAppends(device, 1, events);
    device.next = { body, size: device.range.size };
  }

  #post(address, body) {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'text/plain', 'content-length': body.length };
      const request = httpRequest(address, { method: 'POST', agent: this.#agent, headers }, (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() }),
        );
        answer.on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }
}
