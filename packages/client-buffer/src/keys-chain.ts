import {
  keyNames,
  KEYS_NOTE,
  openStatement,
  parseVkey,
  SIGNATURE_TYPE,
  type Authority,
  type NoteKey,
} from '@tachograph/wire';

/** Where a client stands that has followed keys notes from the directive keys that it began with. */
export type Standing = {
  /** Whose keys notes and orders count. */
  readonly directors: readonly NoteKey[];
  /** What the newest note names. */
  readonly keys: readonly NoteKey[];
  /** That of the newest note; -1 before the first. */
  readonly counter: number;
  readonly note: string | null;
  /** The notes, oldest first, that handed over from one directive key to the next. */
  readonly handovers: readonly string[];
};

/** A client that knows these directive keys, and no keys note yet. */
export function standingAt(authority: Authority, pins: readonly string[]): Standing {
  const { directive } = keyNames(authority);
  const directors = pins.flatMap((vkey) => {
    const parsed = parseVkey(vkey);
    return parsed.ok && parsed.value.name === directive ? [parsed.value] : [];
  });
  return { directors, keys: [], counter: -1, note: null, handovers: [] };
}

/**
 * Goes on by one keys note. Where it names directive keys it hands over: they alone are trusted from then on, and never
 * none. One of them has to have signed it, too, so that nothing is handed to a key that nobody holds.
 *
 * @returns `from` itself for a note that is no newer, `null` for one that no trusted directive key has signed
 */
export async function followNote(
  authority: Authority,
  from: Standing,
  note: string,
): Promise<Standing | null> {
  const opened = await openStatement(KEYS_NOTE, note, from.directors);
  if (!opened.ok || opened.value.authority !== authority) return null;
  const { counter, keys } = opened.value;
  if (counter <= from.counter) return from;
  const { directive } = keyNames(authority);
  const next = keys.filter(({ name, type }) => name === directive && type === SIGNATURE_TYPE.ed25519);
  if (next.length === 0) return { ...from, keys, counter, note };
  if (!(await openStatement(KEYS_NOTE, note, next)).ok) return null;
  return { directors: next, keys, counter, note, handovers: [...from.handovers, note] };
}

/** Goes on by those of `notes` that lead on, and passes over the others. */
export async function followNotes(
  authority: Authority,
  from: Standing,
  notes: readonly string[],
): Promise<Standing> {
  let standing = from;
  for (const note of notes) standing = (await followNote(authority, standing, note)) ?? standing;
  return standing;
}
