import {
  ENROLMENT_NOTE,
  publicJwk,
  sha256,
  signStatement,
  toHex,
  utf8,
  type DeviceId,
} from '@tachograph/wire';
import type { Credential, EnrolmentStatus } from './audit-buffer.ts';
import { withEnrolment } from './core/purge.ts';
import type { EnrolmentRow, LogRow } from './core/rows.ts';
import type { CoreParts } from './core-parts.ts';
import { exchangeJson, isSetback, takeKeys } from './exchange.ts';
import { networkSetback, PROGRESS, type Setback } from './step.ts';

type Sent = Credential | { readonly type: 'predecessor'; readonly succession: string };

export type Installation = { readonly label?: string; readonly platform?: string };

/** Makes this device known to ingest. */
export class Enroller {
  readonly #parts: CoreParts;
  readonly #installation: Installation | undefined;

  constructor(parts: CoreParts, installation: Installation | undefined) {
    this.#parts = parts;
    this.#installation = installation;
  }

  /**
   * GET challenge, prove the key, POST. Key and challenge are stored before the credential is sent, so that an answer
   * that gets lost locks nobody out: a known key with a fresh proof gets its present state.
   */
  async enrol(credential: Sent): Promise<EnrolmentStatus | Setback> {
    const result = await this.#exchange(credential);
    this.#parts.exchanged(typeof result === 'string' ? PROGRESS : result);
    return result;
  }

  async #exchange(credential: Sent): Promise<EnrolmentStatus | Setback> {
    const { log } = this.#parts.state.rows;
    if (log === null) return networkSetback('the store is not open yet');
    const path = `/v1/enrolment/${this.#parts.tenant}`;
    const offer = await exchangeJson(this.#parts, path);
    if (isSetback(offer)) return offer;
    const { authority, challenge, keys, directiveKey } = offer;
    if (authority !== this.#parts.authority || typeof challenge !== 'string')
      return networkSetback('not an enrolment offer of this authority');
    await this.#takeKeys(keys, directiveKey);
    await this.#put(log.device, { status: 'uncertain', challenge });
    const answer = await exchangeJson(this.#parts, path, await this.#request(log, challenge, credential));
    if (isSetback(answer)) {
      // Ingest itself said no; any other failure leaves open whether it knows the device now.
      if (answer.cause === 'refused') await this.#put(log.device, { status: 'none', challenge });
      return answer;
    }
    const status = statusOf(answer['status']);
    if (answer['device'] !== log.device || answer['origin'] !== log.origin || status === null)
      return networkSetback('not an answer to this enrolment');
    await this.#takeKeys(answer['keys'], directiveKey);
    await this.#put(log.device, { status, challenge: null });
    this.#parts.adapters.tabs.announce();
    return status;
  }

  async #request(log: LogRow, challenge: string, credential: Sent): Promise<object> {
    const signer = await this.#parts.keyring.signer(log.device);
    const secret = credential.type === 'token' ? credential.token : credential.succession;
    const credentialHash = toHex(sha256(utf8(secret)));
    return {
      publicKey: publicJwk(log.publicKey),
      proof: await signStatement(ENROLMENT_NOTE, { origin: log.origin, challenge, credentialHash }, signer),
      credential,
      installation: this.#installation,
    };
  }

  async #takeKeys(keys: unknown, directiveKey: unknown): Promise<void> {
    if (typeof keys !== 'string') return;
    const served = typeof directiveKey === 'string' ? directiveKey : null;
    await takeKeys(this.#parts, keys, served);
  }

  async #put(device: DeviceId, change: Pick<EnrolmentRow, 'status' | 'challenge'>): Promise<void> {
    await this.#parts.state.transact(({ rows }) => {
      const { log, enrolment } = rows;
      // The log was succeeded meanwhile: this answer is about the past.
      if (log?.device !== device) return { result: null };
      const succession = enrolment?.device === device ? enrolment.succession : null;
      const known = enrolment?.device === device ? enrolment.status : 'none';
      const status = nextStatus(known, change.status);
      return {
        result: null,
        rows: withEnrolment(rows, { device, succession, challenge: change.challenge, status }),
      };
    });
  }
}

type Status = EnrolmentRow['status'];

/** Neither asking again nor a refusal of the credential makes a known device unknown: it uploads as before. */
function nextStatus(known: Status, told: Status): Status {
  if (told === 'uncertain') return known === 'none' ? told : known;
  if (told === 'none') return ['none', 'uncertain', 'unknown'].includes(known) ? told : known;
  return told;
}

function statusOf(value: unknown): EnrolmentStatus | null {
  const known = ['enrolled', 'pending_approval', 'quarantined', 'revoked'] as const;
  return known.find((status) => status === value) ?? null;
}
