import { describe, expect, it } from '@jest/globals';
import { appendLeaves, EMPTY_RANGE, rootOf, sha256, utf8, type Bytes } from '@tachograph/wire';
import { checkClaim, isSettledAt, type Claim } from '../../src/core/append-check.ts';
import { findFork } from '../../src/core/append-fork.ts';
import { judgeSettled, planAppends } from '../../src/core/append-plan.ts';

const hash = (name: string): Bytes => sha256(utf8(name));
const accepted = ['a', 'b', 'c', 'd', 'e', 'f'].map(hash);
const range = (hashes: readonly Bytes[]) => appendLeaves(EMPTY_RANGE, hashes);

function claim(all: readonly Bytes[], old: number, size = all.length): Claim {
  return { old, size, root: rootOf(range(all.slice(0, size))), leafHashes: all.slice(old, size) };
}

describe('a claim against the head', () => {
  it('follows, is the same, starts elsewhere, or does not follow', () => {
    const head = range(accepted.slice(0, 4));
    expect(checkClaim(head, claim(accepted, 4))).toEqual({ kind: 'follows', next: range(accepted) });
    expect(checkClaim(head, claim(accepted, 4, 4))).toEqual({ kind: 'same' });
    expect(checkClaim(head, claim(accepted, 3))).toEqual({ kind: 'conflict' });
    expect(checkClaim(head, claim(accepted, 5))).toEqual({ kind: 'conflict' });
    expect(checkClaim(head, { ...claim(accepted, 4), root: hash('x') })).toEqual({ kind: 'mismatch' });
    expect(checkClaim(head, { ...claim(accepted, 4, 4), root: hash('x') })).toEqual({ kind: 'mismatch' });
    expect(isSettledAt(head, claim(accepted, 0, 4))).toBe(true);
    expect(isSettledAt(head, claim(accepted, 0, 3))).toBe(false);
  });

  it('that was written just now is settled where the log is exactly there; a retry of it is told the size', () => {
    expect(judgeSettled(range(accepted), claim(accepted, 2), true)).toBe('settled');
    expect(judgeSettled(range(accepted), claim(accepted, 2), false)).toBe('conflict');
    expect(judgeSettled(range(accepted.slice(0, 2)), claim(accepted, 2), true)).toBe('absent');
  });
});

describe('a plan', () => {
  it('lets requests of one log build on each other, and leaves what does not fit to be told the end', () => {
    const jobs = [claim(accepted, 0, 2), claim(accepted, 2, 5), claim(accepted, 0, 2), claim(accepted, 2, 2)];
    const plan = planAppends(
      jobs,
      (job) => job,
      () => 'log',
      () => EMPTY_RANGE,
    );
    expect(plan.admitted.map(({ job }) => job)).toEqual(jobs.slice(0, 2));
    expect(plan.admitted[1]!.edge).toEqual(range(accepted.slice(0, 2)));
    expect(plan.others).toEqual(jobs.slice(2));
  });
});

describe('a fork', () => {
  const window = { from: range(accepted.slice(0, 2)), hashes: accepted.slice(2) };
  const other = [...accepted.slice(0, 3), hash('x'), hash('e')];

  it('is proved by leaves that reproduce the signed root and differ', () => {
    expect(findFork(window, claim(other, 2))).toEqual([
      { index: 3, accepted: accepted[3], submitted: hash('x') },
    ]);
    expect(findFork(window, claim([...accepted, hash('g'), hash('h')], 4))).toEqual([]);
  });

  it('is not proved by a plain retry, by a damaged body, or by what begins before or after the window', () => {
    expect(findFork(window, claim(accepted, 2))).toEqual([]);
    expect(findFork(window, { ...claim(other, 2), root: hash('other root') })).toEqual([]);
    expect(findFork(window, claim(other, 1))).toEqual([]);
    expect(findFork(window, claim([...accepted, hash('g')], 7, 7))).toEqual([]);
  });

  it('is not proved where the histories parted before the claim begins: its leaves do not reproduce the root', () => {
    const parted = [hash('z'), ...accepted.slice(1, 4), hash('x')];
    expect(findFork(window, claim(parted, 3))).toEqual([]);
  });
});
