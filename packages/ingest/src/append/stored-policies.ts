import { parseStoredPolicy, type Policy } from '../core/policy.ts';

const POLICIES_MAX = 1_000;

/** Policies by the text that the registry stores, each parsed once and not for every append. */
export class StoredPolicies {
  readonly #known = new Map<string, Policy>();

  of(text: string): Policy {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const policy = parseStoredPolicy(text);
    if (this.#known.size >= POLICIES_MAX) this.#known.clear();
    this.#known.set(text, policy);
    return policy;
  }
}
