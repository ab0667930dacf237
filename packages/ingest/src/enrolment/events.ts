import { formatVkey, type Actor, type Fault } from '@tachograph/wire';
import type { Db } from '../registry/registry.ts';
import { enqueueEvent } from '../tenant-log/outbox.ts';
import type { Admission } from './decide.ts';
import type { Attempt } from './enrol.ts';

/** `device.enrolled` says the device's vkey, by which anyone can verify its log without the registry. */
export async function enqueueEnrolment(trx: Db, attempt: Attempt, admission: Admission): Promise<void> {
  const { request, candidate, now } = attempt;
  await enqueueEvent(trx, {
    tenant: candidate.tenant,
    action: admission.status === 'pending_approval' ? 'device.enrolment_requested' : 'device.enrolled',
    actor: actorOf(candidate.device, admission.subject),
    targets: [targetOf(candidate.device, labelOf(attempt, admission))],
    data: {
      origin: candidate.origin,
      vkey: formatVkey(candidate.key),
      status: admission.status,
      installation: admission.installation,
      ...(admission.subject === null ? {} : { subject: admission.subject }),
      address: request.address,
      ...admission.grounds,
    },
    at: now,
  });
}

/** A refusal names the rule and the token that it came to, as far as it came to any. */
export async function enqueueRefusal(
  trx: Db,
  attempt: Attempt,
  { fault, grounds }: { readonly fault: Fault; readonly grounds?: { readonly [name: string]: unknown } },
): Promise<void> {
  const { request, candidate, now } = attempt;
  await enqueueEvent(trx, {
    tenant: candidate.tenant,
    action: 'device.enrolment_refused',
    actor: actorOf(candidate.device, null),
    targets: [targetOf(candidate.device, labelOf(attempt, null))],
    outcome: 'failure',
    data: {
      code: fault.code,
      method: request.body.credential.type,
      address: request.address,
      ...grounds,
    },
    at: now,
  });
}

/** The name that people know the installation by: as it says now, else as its predecessor said. */
export function labelOf({ request }: Attempt, admission: Admission | null): string | null {
  return request.body.installation?.label ?? admission?.installationLabel ?? null;
}

function actorOf(device: string, subject: string | null): Actor {
  return subject === null ? { id: device, type: 'device' } : { id: subject, type: 'user' };
}

function targetOf(device: string, label: string | null) {
  return { type: 'device', id: device, ...(label === null ? {} : { name: label }) };
}
