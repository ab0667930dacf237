import type { DeviceId, Origin } from '@tachograph/wire';
import { describe, expect, it } from '@jest/globals';
import { random } from '../../../../test/support/random.ts';
import { EMPTY_CACHE } from '../../src/core/cache-row.ts';
import { startLease } from '../../src/core/lease.ts';
import { accessTo, lookAt } from '../../src/core/offline.ts';
import { EMPTY_ROWS, newLog, type Rows } from '../../src/core/rows.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-11-22T10:00:00Z');
const device = 'd' as DeviceId;
const origin = 'audit.example.com/acme/d' as Origin;
const terms = {
  origin,
  nonce: 'n',
  blockAfterSeconds: 72 * 3600,
  wipeAfterSeconds: 14 * 86_400,
  scopes: ['*'],
};

/** A machine whose clocks do what they like, and whose true time the test knows. */
class Machine {
  readonly #random: () => number;
  /** Milliseconds since the grant, truly. */
  truth = 0;
  #offset = 0;
  #pages = [{ boot: 'p0', ms: 1_000 }];
  #opened = 1;

  constructor(seed: number) {
    this.#random = random(seed);
  }

  /** Something happens: time passes, awake or asleep, a page is opened or closed, the clock is set. */
  step(canSet: boolean, canSleep: boolean): void {
    const what = Math.floor(this.#random() * 10);
    const passed = this.#random() * 8 * HOUR;
    if (what < 5) {
      this.truth += passed;
      for (const page of this.#pages) page.ms += passed;
    } else if (what < 7 && canSleep) this.truth += passed;
    else if (what === 7) this.#pages.push({ boot: `p${this.#opened++}`, ms: 0 });
    else if (what === 8 && this.#pages.length > 1)
      this.#pages.splice(Math.floor(this.#random() * this.#pages.length), 1);
    else if (what === 9 && canSet) this.#offset += (this.#random() - 0.6) * 100 * HOUR;
  }

  read() {
    const page = this.#pages[Math.floor(this.#random() * this.#pages.length)]!;
    return { wallMs: START + this.truth + this.#offset, boot: page.boot, monotonicMs: page.ms };
  }
}

function run(seed: number, { canSet, canSleep }: { canSet: boolean; canSleep: boolean }) {
  const machine = new Machine(seed);
  let rows: Rows = {
    ...EMPTY_ROWS,
    log: newLog({ device, origin, publicKey: new Uint8Array(32) }, START),
    cache: { ...EMPTY_CACHE, hooked: true },
    lease: startLease(terms, device, { wallMs: START, boot: 'p0', monotonicMs: 1_000 }),
  };
  const seen = [];
  for (let i = 0; i < 60; i++) {
    machine.step(canSet, canSleep);
    const now = machine.read();
    const { lease, gate, leaves } = lookAt(rows, now);
    rows = Object.assign(
      {},
      rows,
      lease === undefined ? {} : { lease },
      gate === undefined ? {} : { cache: gate.cache },
    );
    const access = accessTo(rows, 'v_1', now.wallMs);
    seen.push({
      access,
      truth: machine.truth,
      actions: leaves.map(({ action }) => action),
      gated: gate !== undefined,
    });
  }
  return seen;
}

const seeds = Array.from({ length: 400 }, (_, seed) => seed + 1);

describe('a lease under clocks that do what they like', () => {
  it('never comes back: what was refused once stays refused, and what is left only shrinks', () => {
    for (const seed of seeds) {
      let left = Infinity;
      for (const { access } of run(seed, { canSet: true, canSleep: true })) {
        const now = access.allowed ? access.leftMs : 0;
        expect({ seed, left: now <= left + 1_000 }).toEqual({ seed, left: true });
        left = Math.min(left, now);
        if (left === 0) expect({ seed, allowed: access.allowed }).toEqual({ seed, allowed: false });
      }
    }
  });

  it('records each finding once, and raises one gate', () => {
    for (const seed of seeds) {
      const looks = run(seed, { canSet: true, canSleep: true });
      const actions = looks.flatMap((look) => look.actions);
      expect({ seed, once: new Set(actions).size === actions.length }).toEqual({ seed, once: true });
      expect(looks.filter(({ gated }) => gated).length).toBeLessThanOrEqual(1);
    }
  });

  it('is exact while nobody sets the clock, asleep or awake', () => {
    for (const seed of seeds)
      for (const { access, truth } of run(seed, { canSet: false, canSleep: true })) {
        const wiped = truth >= 14 * 24 * HOUR;
        expect({ seed, allowed: access.allowed }).toEqual({ seed, allowed: truth < 72 * HOUR });
        if (wiped) expect(access).toEqual({ allowed: false, reason: 'purging' });
      }
  });
});
