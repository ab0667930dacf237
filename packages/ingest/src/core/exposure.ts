import type { CatalogueAction } from '@tachograph/wire/schema';
import { parseLeaf } from '@tachograph/wire/schema';
import type { Bytes, Target } from '@tachograph/wire';

/** How a person came to know or to hold a target, as bits. */
export const EXPOSURE_KINDS = { revealed: 1, exported: 2, held: 4 } as const;
export type ExposureKind = keyof typeof EXPOSURE_KINDS;

/** Where an event stood to the revocation of its device, as bits. None: the device was not revoked when it sent. */
export const REVOCATION_MARKS = { before: 1, straddles: 2, after: 4 } as const;

type UsageAction = Extract<CatalogueAction, `item.${string}`> | 'cache.inventory';

/**
 * Which catalogued uses of an item leave its secret with the person. Who creates or changes one has typed it; a
 * service that fetched one has it. `null` leaves nothing behind.
 */
const EXPOSING: { readonly [Action in UsageAction]: ExposureKind | null } = {
  'item.fill': 'revealed',
  'item.reveal': 'revealed',
  'item.copy': 'revealed',
  'item.edit': 'revealed',
  'item.create': 'revealed',
  'item.update': 'revealed',
  'item.share': 'exported',
  'item.export': 'exported',
  'item.fetch': 'exported',
  'item.sso': null,
  'cache.inventory': 'held',
};

/** Whether events of `action` expose their targets; what the rest of an event says is not looked at. */
export function exposureKindOf(action: string): ExposureKind | null {
  return Object.hasOwn(EXPOSING, action) ? EXPOSING[action as UsageAction] : null;
}

/** One person and one target, as one event names them. */
export type Exposure = {
  readonly actor: string;
  readonly email: string | null;
  readonly target: Target;
};

/** Whom and what an event that exposes names. One that failed exposed nothing; neither did a leaf that is no event. */
export function exposuresIn(leaf: Bytes): Exposure[] {
  const parsed = parseLeaf(leaf);
  if (!parsed.ok) return [];
  const { actor, targets = [], outcome } = parsed.value;
  if (outcome === 'failure') return [];
  return targets.map((target) => ({ actor: actor.id, email: actor.email ?? null, target }));
}

/** The names of the bits that are set. */
export function namesOfBits<Name extends string>(
  table: { readonly [N in Name]: number },
  bits: number,
): Name[] {
  return (Object.keys(table) as Name[]).filter((name) => (bits & table[name]) !== 0);
}
