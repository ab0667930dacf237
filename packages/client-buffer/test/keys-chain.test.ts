import { describe, expect, it } from '@jest/globals';
import {
  formatVkey,
  keyNames,
  KEYS_NOTE,
  noteKey,
  parseAuthority,
  SIGNATURE_TYPE,
  signStatement,
  type Authority,
  type NoteKey,
  type NoteSigner,
} from '@tachograph/wire';
import { followNote, followNotes, standingAt } from '../src/keys-chain.ts';
import { makeSigner } from './support/make-signer.ts';

function authorityOf(name: string): Authority {
  const parsed = parseAuthority(name);
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return parsed.value;
}

const authority = authorityOf('audit.example.com');
const names = keyNames(authority);
const director = () => makeSigner(names.directive, SIGNATURE_TYPE.ed25519);
const [first, second, third] = [await director(), await director(), await director()];
const cosigner = await makeSigner(names.cosigner, SIGNATURE_TYPE.cosignature);
const lessor = await makeSigner(names.lease, SIGNATURE_TYPE.ed25519);
const start = standingAt(authority, [formatVkey(first.key)]);

function note(counter: number, listed: readonly NoteKey[], ...signers: readonly NoteSigner[]) {
  return signStatement(KEYS_NOTE, { authority, counter, keys: [cosigner.key, ...listed] }, ...signers);
}

describe('a keys note that names directive keys', () => {
  it('hands over to them alone, where a trusted key and one of them have signed it', async () => {
    const source = await note(2, [second.key], first, second);
    const after = await followNote(authority, start, source);
    expect(after).toMatchObject({ directors: [second.key], counter: 2, note: source, handovers: [source] });
    expect(await followNote(authority, after!, await note(3, [], first))).toBeNull();
    expect(await followNote(authority, after!, await note(3, [], second))).toMatchObject({ counter: 3 });
  });

  it('hands over to nobody who has not signed it', async () => {
    expect(await followNote(authority, start, await note(2, [second.key], first))).toBeNull();
    expect(await followNote(authority, start, await note(2, [second.key], first, third))).toBeNull();
  });

  it('is nothing where only those sign whom it names, or a key of ingest does, whatever it calls itself (INV-23)', async () => {
    const disguised: NoteSigner = { ...lessor, key: first.key };
    for (const signers of [[second], [cosigner, second], [lessor, second], [disguised, second]]) {
      expect(await followNote(authority, start, await note(9, [second.key], ...signers))).toBeNull();
    }
  });

  it('does not hand over backwards: an older note, or the same one again, changes nothing (INV-23)', async () => {
    const over = await note(2, [second.key], first, second);
    const after = (await followNote(authority, start, over))!;
    const back = await note(2, [first.key], second, first);
    for (const again of [over, back, await note(1, [first.key], first, second)]) {
      expect(await followNote(authority, after, again)).toBe(after);
    }
  });

  it('names a directive key only by its full name and type', async () => {
    const cosigning = noteKey(names.directive, SIGNATURE_TYPE.cosignature, second.key.publicKey);
    const elsewhere = await makeSigner('other.example.com/directive', SIGNATURE_TYPE.ed25519);
    const source = await note(2, [cosigning, elsewhere.key], first, elsewhere);
    expect(await followNote(authority, start, source)).toMatchObject({
      directors: [first.key],
      handovers: [],
    });
  });

  it('is nothing of another authority', async () => {
    const of = authorityOf('other.example.com');
    const source = await signStatement(
      KEYS_NOTE,
      { authority: of, counter: 2, keys: [second.key] },
      first,
      second,
    );
    expect(await followNote(authority, start, source)).toBeNull();
  });
});

describe('a keys note that names none', () => {
  it('leaves the directive keys as they are', async () => {
    const both = standingAt(authority, [formatVkey(first.key), formatVkey(second.key)]);
    const after = await followNote(authority, both, await note(1, [lessor.key], second));
    expect(after).toMatchObject({
      directors: both.directors,
      keys: [cosigner.key, lessor.key],
      handovers: [],
    });
  });
});

describe('a chain of them', () => {
  it('leads over any number of rotations, from wherever one stands, and only in its order', async () => {
    const chain = [await note(2, [second.key], first, second), await note(5, [third.key], second, third)];
    for (const pin of [first, second, third]) {
      const after = await followNotes(authority, standingAt(authority, [formatVkey(pin.key)]), chain);
      expect(after).toMatchObject({ directors: [third.key], counter: 5 });
    }
    const reversed = await followNotes(authority, start, chain.toReversed());
    expect(reversed).toMatchObject({ directors: [second.key], counter: 2 });
  });

  it('passes over what a stranger or an outgoing key put into it', async () => {
    const forged = [
      await note(3, [third.key], third),
      await note(4, [third.key], first, third),
      'no note at all',
    ];
    const chain = [await note(2, [second.key], first, second), ...forged];
    expect(await followNotes(authority, start, chain)).toMatchObject({
      directors: [second.key],
      counter: 2,
    });
  });
});
