import {
  formatNote,
  LIMITS,
  openStatement,
  parseNote,
  PURGE_NOTE,
  signaturesBy,
  signNote,
  type Note,
  type NoteSigner,
} from '@tachograph/wire';
import type { ControlContext } from '../api-context.ts';

const PAGE = 100;

/**
 * While two directive keys are in force, has both sign the orders that devices have not confirmed: a device that was
 * offline over the whole rotation trusts the newer key alone when it comes back. Only an order that one of the two has
 * signed gets the other's signature; whoever can merely write to the registry gets none.
 * @returns how many there were
 */
export async function signOpenOrders({ registry, directives }: ControlContext): Promise<number> {
  if (directives.length < 2) return 0;
  let count = 0;
  for (let cursor = ''; ;) {
    const page = await registry.db
      .selectFrom('directives')
      .select(['id', 'note'])
      .where('confirmed_at', 'is', null)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    for (const { id, note } of page) {
      const signed = await withEverySignature(note, directives);
      if (signed === null) continue;
      await registry.db.updateTable('directives').set({ note: signed }).where('id', '=', id).execute();
      count++;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return count;
    cursor = last.id;
  }
}

/** The same text under more signatures; `null` where it has them all, or none that counts. */
async function withEverySignature(source: string, directives: readonly NoteSigner[]): Promise<string | null> {
  const note = parseNote(source);
  if (!note.ok) return null;
  const missing = directives.filter(({ key }) => signaturesBy(key, note.value.signatures).length === 0);
  if (missing.length === 0) return null;
  // An order and nothing else: a keys note of long ago, planted here, would come back into force.
  const order = await openStatement(
    PURGE_NOTE,
    source,
    directives.map(({ key }) => key),
  );
  if (!order.ok) return null;
  const more = parseNote(await signNote(note.value.text, ...missing));
  return more.ok ? formatNote(joined(note.value, more.value)) : null;
}

/** The newest signatures stand last, and are the ones that stay. */
function joined({ text, signatures }: Note, more: Note): Note {
  return { text, signatures: [...signatures, ...more.signatures].slice(-LIMITS.noteSignaturesMax) };
}
