import { LIMITS, type ErrorCode, type Fault, type Parsed, type TenantId } from '@tachograph/wire';
import type { ApiContext } from '../api-context.ts';
import { isStrongPublicKey } from '../core/ed25519-key.ts';
import type { RateLimiter } from '../http/rate-limit.ts';
import type { Db } from '../registry/registry.ts';
import type { DeviceStatus } from '../registry/schema.ts';
import { policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';
import { admit, openSuccession, type Admission, type Credential } from './decide.ts';
import { enqueueEnrolment, enqueueRefusal, labelOf } from './events.ts';
import { candidateOf, proofFault, type Candidate } from './proof.ts';
import type { EnrolmentBody } from './schemas.ts';

/** The state that a device is told at enrolment. */
export type EnrolledState = {
  readonly kind: 'created' | 'known';
  readonly candidate: Candidate;
  readonly status: DeviceStatus;
  readonly size: number;
};

export type EnrolmentRequest = {
  readonly tenant: TenantId;
  readonly address: string;
  readonly body: EnrolmentBody;
};

/**
 * Enrols a device, or tells a known one its state. Checks in this order: tenant, key, proof, challenge; then a known
 * device gets its state whatever its credential, so that a lost answer locks nobody out; then the strength of the
 * key, method, rules, credential. A decision and its event of the tenant's log are one transaction, a refusal's too,
 * as far as refusals are reported at all.
 * @returns the codes of those checks
 */
export async function enrol(
  context: ApiContext,
  refusals: RateLimiter,
  request: EnrolmentRequest,
): Promise<EnrolledState | { readonly kind: 'refused'; readonly fault: Fault }> {
  const { registry, config, keys, clock } = context;
  const { tenant, body } = request;
  const now = clock();
  if ((await policyOf(registry.db, tenant)) === null) return refused(UNKNOWN_TENANT);
  const candidate = candidateOf(config.authority, tenant, body.publicKey);
  if (candidate === null) {
    const detail = 'publicKey.x is a 32-byte Ed25519 key in base64url';
    return refused({ code: 'ERR_REQUEST', detail, field: 'publicKey.x' });
  }
  const attempt: Attempt = { context, refusals, request, candidate, now };
  const fault = await proofFault(candidate, body, keys.challengeSecret, { authority: config.authority, now });
  if (fault !== null) return refuse(attempt, fault);
  const known = await stateOf(registry.db, candidate);
  if (known !== null) return known;
  if (!isStrongPublicKey(candidate.publicKey)) {
    const detail = 'publicKey.x is no point of prime order: anybody could sign in its name';
    return refuse(attempt, { code: 'ERR_REQUEST', detail, field: 'publicKey.x' });
  }
  const credential = await readCredential(attempt);
  if (!credential.ok) return refuse(attempt, credential.fault);
  return decide(attempt, credential.value);
}

/** One try to enrol, with a key that was read and not yet believed. */
export type Attempt = {
  readonly context: ApiContext;
  /** How many refusals of a tenant become events: anybody can be refused, as often as they like. */
  readonly refusals: RateLimiter;
  readonly request: EnrolmentRequest;
  readonly candidate: Candidate;
  readonly now: number;
};

/** Signatures are checked before the transaction, in which only queries are awaited. */
async function readCredential({ context, request, candidate }: Attempt): Promise<Parsed<Credential>> {
  const { credential } = request.body;
  if (credential.type === 'token') return { ok: true, value: { kind: 'token', token: credential.token } };
  return openSuccession(context.registry.db, context.config.authority, candidate, credential.succession);
}

async function decide(
  attempt: Attempt,
  credential: Credential,
): Promise<EnrolledState | { kind: 'refused'; fault: Fault }> {
  const { context, request, candidate, now } = attempt;
  // The transaction may be run again from its start: what it takes of the rate it takes once.
  let isTold: boolean | null = null;
  const outcome = await context.registry.transaction(async (trx) => {
    // Another request may have enrolled the same key since.
    const known = await stateOf(trx, candidate);
    if (known !== null) return known;
    const policy = await policyOf(trx, candidate.tenant);
    if (policy === null) return refused(UNKNOWN_TENANT);
    const circumstances = { policy, address: request.address, now };
    const admission = await admit(trx, candidate, credential, circumstances);
    if (!admission.ok) {
      isTold ??= isReported(attempt);
      if (isTold) await enqueueRefusal(trx, attempt, admission);
      return refused(admission.fault);
    }
    await insertDevice(trx, attempt, admission.value);
    await enqueueEnrolment(trx, attempt, admission.value);
    return { kind: 'created', candidate, status: admission.value.status, size: 0 } as const;
  });
  context.tenantLog.wake();
  context.metrics.enrolmentDecided(outcome.kind === 'refused' ? outcome.fault.code : outcome.status);
  return outcome;
}

async function stateOf(db: Db, candidate: Candidate): Promise<EnrolledState | null> {
  const row = await db
    .selectFrom('devices')
    .leftJoin('heads', (join) =>
      join.onRef('heads.tenant', '=', 'devices.tenant').onRef('heads.device', '=', 'devices.device'),
    )
    .select(['devices.status', 'heads.size'])
    .where('devices.tenant', '=', candidate.tenant)
    .where('devices.device', '=', candidate.device)
    .executeTakeFirst();
  return row === undefined ? null : { kind: 'known', candidate, status: row.status, size: row.size ?? 0 };
}

async function insertDevice(trx: Db, attempt: Attempt, admission: Admission): Promise<void> {
  const { request, candidate, now } = attempt;
  await trx
    .insertInto('devices')
    .values({
      tenant: candidate.tenant,
      device: candidate.device,
      public_key: candidate.publicKey,
      installation: admission.installation,
      installation_label: labelOf(attempt, admission),
      platform: request.body.installation?.platform ?? null,
      subject: admission.subject,
      status: admission.status,
      lease_profile: admission.leaseProfile,
      predecessor: admission.predecessor,
      succession: admission.succession,
      enrolled_at: now,
      revoked_at: admission.revokedAt,
      revocation_reason: admission.revocationReason,
    })
    .execute();
}

/** A refusal outside the deciding transaction. What is merely malformed decides nothing and leaves no event. */
async function refuse(attempt: Attempt, fault: Fault): Promise<{ kind: 'refused'; fault: Fault }> {
  const { context } = attempt;
  context.metrics.enrolmentDecided(fault.code);
  if (!isDecision(fault) || !isReported(attempt)) return refused(fault);
  await context.registry.transaction((trx) => enqueueRefusal(trx, attempt, { fault }));
  context.tenantLog.wake();
  return refused(fault);
}

/** Beyond the rate a refusal is only counted: a flood must not fill the tenant's log and what its SIEM is paid for. */
function isReported({ context, refusals, candidate }: Attempt): boolean {
  if (refusals.take(candidate.tenant).ok) return true;
  context.metrics.rateLimited('refusal');
  return false;
}

const DECISIONS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_SIGNATURE',
  'ERR_ORIGIN_MISMATCH',
  'ERR_CREDENTIAL_MISMATCH',
  'ERR_CHALLENGE',
  'ERR_SUCCESSION',
]);

function isDecision({ code }: Fault): boolean {
  return DECISIONS.has(code);
}

function refused(fault: Fault): { kind: 'refused'; fault: Fault } {
  return { kind: 'refused', fault };
}

/** What every device is told of the limits. */
export const TOLD_LIMITS: { readonly [name: string]: number } = LIMITS;
