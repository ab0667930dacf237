import {
  assertNever,
  noteKey,
  originOf,
  parseNote,
  parseOrigin,
  SIGNATURE_TYPE,
  SUCCESSION_NOTE,
  verifyNote,
  type Authority,
  type Fault,
  type Parsed,
  type SuccessionReason,
} from '@tachograph/wire';
import { tokenFault } from '../core/enrolment-token.ts';
import { evaluateRules, networksOf, ruleGrounds, type Decision, type Policy } from '../core/policy.ts';
import type { Db } from '../registry/registry.ts';
import type { DeviceStatus } from '../registry/schema.ts';
import { ownLogsOf } from '../registry/tenants.ts';
import { hashOfToken } from '../registry/tokens.ts';
import type { Candidate } from './proof.ts';

/** How a new device is entered. */
export type Admission = {
  readonly status: DeviceStatus;
  readonly installation: string;
  /** The predecessor's; `null` where there is none. */
  readonly installationLabel: string | null;
  readonly subject: string | null;
  /** One that holds wherever the device is; `null` leaves it to the rules, which are asked at every lease. */
  readonly leaseProfile: string | null;
  readonly predecessor: string | null;
  readonly succession: SuccessionReason | null;
  readonly revokedAt: number | null;
  readonly revocationReason: string | null;
  /** What the event of the tenant's log says beside. */
  readonly grounds: { readonly [name: string]: unknown };
};

/** What was decided; a refusal's grounds are the rule and the token that it came to. */
export type Admitted =
  | { readonly ok: true; readonly value: Admission }
  | {
      readonly ok: false;
      readonly fault: Fault;
      readonly grounds?: { readonly [name: string]: unknown };
    };

/** Where a request comes from and what the tenant says of it. */
export type Circumstances = { readonly policy: Policy; readonly address: string; readonly now: number };

/** A succession note that its predecessor has signed. */
export type Succession = {
  readonly kind: 'predecessor';
  readonly predecessor: string;
  readonly reason: SuccessionReason;
};

/** What a device enrols with: a token that is still to be looked up, or a succession that was verified. */
export type Credential = { readonly kind: 'token'; readonly token: string } | Succession;

/**
 * Reads a succession note: signed by the key of a device of this tenant, and naming the candidate.
 * @returns ERR_NOTE, ERR_STATEMENT, ERR_SUCCESSION
 */
export async function openSuccession(
  db: Db,
  authority: Authority,
  candidate: Candidate,
  note: string,
): Promise<Parsed<Succession>> {
  // The note says whose key it wants: read first, believe once that key has verified it.
  const parsed = parseNote(note);
  if (!parsed.ok) return parsed;
  const claimed = SUCCESSION_NOTE.parse(parsed.value.text);
  if (!claimed.ok) return claimed;
  const { oldOrigin, newOrigin, reason } = claimed.value;
  const old = parseOrigin(oldOrigin);
  if (!old.ok) return old;
  const { device } = old.value;
  if (oldOrigin !== originOf(authority, candidate.tenant, device) || newOrigin !== candidate.origin) {
    return refused('the succession note names other logs');
  }
  const row = await db
    .selectFrom('devices')
    .select('public_key')
    .where('tenant', '=', candidate.tenant)
    .where('device', '=', device)
    .executeTakeFirst();
  if (row === undefined) return refused('the predecessor is no device of this tenant');
  const key = noteKey(oldOrigin, SIGNATURE_TYPE.ed25519, row.public_key);
  if (!(await verifyNote(parsed.value, [key]))) {
    return refused('the predecessor has not signed the succession note');
  }
  return { ok: true, value: { kind: 'predecessor', predecessor: device, reason } };
}

/**
 * Whether the tenant lets the candidate in. A token that is good has one use less afterwards.
 * @returns ERR_TENANT_REVOKED, ERR_DEVICE_QUOTA, ERR_METHOD, ERR_POLICY, ERR_TOKEN_UNKNOWN, ERR_TOKEN_EXPIRED, ERR_TOKEN_USED, ERR_TOKEN_NETWORK,
 * ERR_SUCCESSION
 */
export async function admit(
  trx: Db,
  candidate: Candidate,
  credential: Credential,
  circumstances: Circumstances,
): Promise<Admitted> {
  const closed = await tenantFault(trx, candidate, circumstances.policy);
  if (closed !== null) return { ok: false, fault: closed };
  if (!circumstances.policy.enrolment.methods.includes(credential.kind)) {
    const detail = `the tenant does not enrol by ${credential.kind}`;
    return { ok: false, fault: { code: 'ERR_METHOD', detail, field: 'credential' } };
  }
  switch (credential.kind) {
    case 'token':
      return admitByToken(trx, candidate, credential.token, circumstances);
    case 'predecessor':
      return admitSuccessor(trx, candidate, credential);
    default:
      return assertNever(credential);
  }
}

/** Why the tenant takes no device at all, whoever asks. */
async function tenantFault(trx: Db, { tenant }: Candidate, { quota }: Policy): Promise<Fault | null> {
  const { revoked_at: revokedAt } = await trx
    .selectFrom('tenants')
    .select('revoked_at')
    .where('id', '=', tenant)
    .executeTakeFirstOrThrow();
  if (revokedAt !== null) return { code: 'ERR_TENANT_REVOKED', detail: 'this tenant was revoked' };
  if (quota.devices === undefined) return null;
  const { count } = await trx
    .selectFrom('devices')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('tenant', '=', tenant)
    .where('status', '<>', 'revoked')
    .where('installation', 'not in', ownLogsOf(trx, tenant))
    .executeTakeFirstOrThrow();
  if (Number(count) < quota.devices) return null;
  const detail = `the tenant has the ${quota.devices} devices that its quota allows`;
  return { code: 'ERR_DEVICE_QUOTA', detail };
}

async function admitByToken(
  trx: Db,
  candidate: Candidate,
  secret: string,
  { policy, address, now }: Circumstances,
): Promise<Admitted> {
  const decision = evaluateRules(policy.enrolment.rules, { address, claims: {} });
  if (decision.action === 'deny')
    return { ok: false, fault: ruleFault(decision), grounds: ruleGrounds(decision) };
  const token = await trx
    .selectFrom('enrolment_tokens')
    .selectAll()
    .where('hash', '=', hashOfToken(secret))
    .where('tenant', '=', candidate.tenant)
    .executeTakeFirst();
  if (token === undefined) {
    return {
      ok: false,
      fault: { code: 'ERR_TOKEN_UNKNOWN', detail: 'this tenant knows no such enrolment token' },
    };
  }
  const networks = token.networks === null ? null : networksOf(JSON.parse(token.networks) as string[]);
  const fault = tokenFault(
    { usesLeft: token.uses_left, expiresAt: token.expires_at, networks },
    now,
    address,
  );
  const grounds = { method: 'token', token: token.id, ...ruleGrounds(decision) };
  if (fault !== null) return { ok: false, fault, grounds };
  await trx
    .updateTable('enrolment_tokens')
    .set((eb) => ({ uses_left: eb('uses_left', '-', 1) }))
    .where('id', '=', token.id)
    .execute();
  return {
    ok: true,
    value: {
      status: policy.enrolment.approval ? 'pending_approval' : 'enrolled',
      installation: candidate.device,
      installationLabel: null,
      subject: token.subject,
      leaseProfile: null,
      predecessor: null,
      succession: null,
      revokedAt: null,
      revocationReason: null,
      grounds,
    },
  };
}

/**
 * The candidate goes on in the place of its predecessor: past network rules, with its subject, installation and
 * revocation. What its predecessor had not reached, approval above all, it does not reach either.
 */
async function admitSuccessor(
  trx: Db,
  candidate: Candidate,
  { predecessor, reason }: Succession,
): Promise<Parsed<Admission>> {
  const old = await trx
    .selectFrom('devices')
    .selectAll()
    .where('tenant', '=', candidate.tenant)
    .where('device', '=', predecessor)
    .executeTakeFirst();
  if (old === undefined) return refused('the predecessor is no device of this tenant');
  return {
    ok: true,
    value: {
      status: old.status === 'enrolled' ? 'quarantined' : old.status,
      installation: old.installation,
      installationLabel: old.installation_label,
      subject: old.subject,
      leaseProfile: old.lease_profile,
      predecessor,
      succession: reason,
      revokedAt: old.revoked_at,
      revocationReason: old.revocation_reason,
      grounds: { method: 'predecessor', predecessor, reason },
    },
  };
}

/** Rules are numbered from 1 for people. */
function ruleFault({ rule }: Decision): Fault {
  const detail = `rule ${(rule ?? 0) + 1} of the tenant's policy denies enrolment from this network`;
  return { code: 'ERR_POLICY', detail };
}

function refused(detail: string): { ok: false; fault: Fault } {
  return { ok: false, fault: { code: 'ERR_SUCCESSION', detail, field: 'credential' } };
}
