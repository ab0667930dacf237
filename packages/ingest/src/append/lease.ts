import {
  LEASE_NOTE,
  signStatement,
  type NoteSigner,
  type Origin,
  type RequestStatement,
} from '@tachograph/wire';
import { evaluateRules, leaseTerms, parseStoredPolicy, type Policy } from '../core/policy.ts';
import type { KnownDevice } from '../registry/devices.ts';

const POLICIES_MAX = 1_000;

/** Grants offline use in answer to a request note, where the device's status and the tenant's rules allow it. */
export class Leases {
  readonly #signer: NoteSigner;
  readonly #policies = new Map<string, Policy>();

  constructor(signer: NoteSigner) {
    this.#signer = signer;
  }

  /** The lease note, or `null` where there is to be none. */
  async grant(
    origin: Origin,
    device: KnownDevice,
    request: RequestStatement,
    address: string,
  ): Promise<string | null> {
    if (device.status !== 'enrolled') return null;
    const policy = this.#policy(device.policy);
    const decision = evaluateRules(policy.enrolment.rules, { address, claims: {} });
    if (decision.action === 'deny' || decision.action === 'allow_without_cache') return null;
    return signStatement(
      LEASE_NOTE,
      {
        origin,
        nonce: request.nonce,
        ...leaseTerms(policy, device.leaseProfile ?? decision.leaseProfile),
        scopes: ['*'],
      },
      this.#signer,
    );
  }

  #policy(text: string): Policy {
    const known = this.#policies.get(text);
    if (known !== undefined) return known;
    const policy = parseStoredPolicy(text);
    if (this.#policies.size >= POLICIES_MAX) this.#policies.clear();
    this.#policies.set(text, policy);
    return policy;
  }
}
