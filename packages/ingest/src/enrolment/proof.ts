import { createHash } from 'node:crypto';
import {
  deviceIdOf,
  ENROLMENT_NOTE,
  fromBase64Url,
  noteKey,
  openStatement,
  originOf,
  SIGNATURE_TYPE,
  type Authority,
  type Bytes,
  type DeviceId,
  type Fault,
  type NoteKey,
  type Origin,
  type Parsed,
  type TenantId,
} from '@tachograph/wire';
import { isChallengeValid } from '../core/challenge.ts';
import type { Secret } from '../secret.ts';
import type { EnrolmentBody } from './schemas.ts';

/** A device that has proved to hold its key, just now, for this tenant, with this credential. */
export type Candidate = {
  readonly tenant: TenantId;
  readonly device: DeviceId;
  readonly origin: Origin;
  readonly publicKey: Bytes;
  /** The key that its log is signed with. */
  readonly key: NoteKey;
};

/** The device that a public key names; `null` where `x` is no key. */
export function candidateOf(
  authority: Authority,
  tenant: TenantId,
  publicKey: EnrolmentBody['publicKey'],
): Candidate | null {
  const bytes = fromBase64Url(publicKey.x);
  if (bytes?.length !== 32) return null;
  const device = deviceIdOf(bytes);
  const origin = originOf(authority, tenant, device);
  return { tenant, device, origin, publicKey: bytes, key: noteKey(origin, SIGNATURE_TYPE.ed25519, bytes) };
}

/**
 * What is wrong with the proof of `candidate`, or `null`. In this order: form, signature by the new key, origin,
 * credential, challenge.
 * @returns ERR_NOTE, ERR_STATEMENT, ERR_SIGNATURE, ERR_ORIGIN_MISMATCH, ERR_CREDENTIAL_MISMATCH, ERR_CHALLENGE
 */
export async function proofFault(
  candidate: Candidate,
  body: EnrolmentBody,
  secret: Secret,
  scope: { readonly authority: Authority; readonly now: number },
): Promise<Fault | null> {
  const opened = await openProof(candidate, body.proof);
  if (!opened.ok) return opened.fault;
  const { origin, challenge, credentialHash } = opened.value;
  if (origin !== candidate.origin) {
    return { code: 'ERR_ORIGIN_MISMATCH', detail: 'the proof is for another log', field: 'proof' };
  }
  if (credentialHash !== credentialHashOf(body.credential)) {
    return { code: 'ERR_CREDENTIAL_MISMATCH', detail: 'the proof is of another credential', field: 'proof' };
  }
  const { authority, now } = scope;
  if (!isChallengeValid(secret.reveal(), { authority, tenant: candidate.tenant }, now, challenge)) {
    return { code: 'ERR_CHALLENGE', detail: 'the challenge is not of this tenant, or has expired' };
  }
  return null;
}

/** Hex SHA-256 of the credential exactly as it was sent. */
function credentialHashOf(credential: EnrolmentBody['credential']): string {
  const sent = credential.type === 'token' ? credential.token : credential.succession;
  return createHash('sha256').update(sent, 'utf8').digest('hex');
}

type Proof = Parsed<{ origin: Origin; challenge: string; credentialHash: string }>;

async function openProof(candidate: Candidate, proof: string): Promise<Proof> {
  const opened = await openStatement(ENROLMENT_NOTE, proof, [candidate.key]);
  if (opened.ok || opened.fault.code !== 'ERR_SIGNATURE') return opened;
  return { ok: false, fault: { ...opened.fault, field: 'proof' } };
}
