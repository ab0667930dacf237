import { deviceIdOf, parseOrigin, parseVkey, utf8Text, type Bytes } from '@tachograph/wire';
import { z } from 'zod';
import type { FeedEntry } from './feed-entry.ts';

/** A log that goes on from another one: its leaf 1 + k is leaf `carriedFrom` + k of `predecessor`, for `count` leaves. */
export type Succession = {
  readonly predecessor: string;
  readonly carriedFrom: number;
  readonly count: number;
};

const index = z.int().nonnegative();
const opened = z.object({ data: z.object({ predecessor: z.string(), carriedFrom: index, count: index }) });
const enrolled = z.object({ data: z.object({ origin: z.string(), vkey: z.string() }) });
const erased = z.object({ data: z.object({ device: z.string(), indices: z.array(index) }) });

/** What some entries say about logs, theirs or others'. */
export class LogFacts {
  readonly successions = new Map<string, Succession>();
  /** Public keys by origin. A device is named by its key, so a key that does not fit its name is none. */
  readonly publicKeys = new Map<string, Bytes>();
  /** Indices that were erased, by `<authority>/<tenant>/<device>`. */
  readonly erased = new Map<string, Set<number>>();

  /** Notes what `entry` says. Few do. */
  note(entry: FeedEntry): void {
    switch (entry.action) {
      case 'log.opened':
        if (entry.index === 0) this.#opened(entry);
        break;
      case 'device.enrolled':
      case 'device.enrolment_requested':
        this.#enrolled(entry);
        break;
      case 'log.erased':
        this.#erased(entry);
        break;
      default:
    }
  }

  /** Adds a key that the reader trusts, such as that of the tenants' own logs. */
  addKey(origin: string, publicKey: Bytes): void {
    const parsed = parseOrigin(origin);
    if (parsed.ok && deviceIdOf(publicKey) === parsed.value.device) this.publicKeys.set(origin, publicKey);
  }

  #opened(entry: FeedEntry): void {
    const parsed = opened.safeParse(contentOf(entry));
    if (parsed.success) this.successions.set(entry.origin, parsed.data.data);
  }

  #enrolled(entry: FeedEntry): void {
    const parsed = enrolled.safeParse(contentOf(entry));
    const key = parsed.success ? parseVkey(parsed.data.data.vkey) : null;
    if (parsed.success && key?.ok) this.addKey(parsed.data.data.origin, key.value.publicKey);
  }

  #erased(entry: FeedEntry): void {
    const parsed = erased.safeParse(contentOf(entry));
    const own = parseOrigin(entry.origin);
    if (!parsed.success || !own.ok) return;
    const { device, indices } = parsed.data.data;
    const origin = `${own.value.authority}/${own.value.tenant}/${device}`;
    const known = this.erased.get(origin) ?? new Set();
    for (const one of indices) known.add(one);
    this.erased.set(origin, known);
  }
}

function contentOf({ leaf }: FeedEntry): unknown {
  const text = leaf === null ? null : utf8Text(leaf);
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // The one way `parse` fails is the input, and `undefined` says nothing about any log.
    return undefined;
  }
}
