import { utf8, type Bytes, type ErrorCode } from '@tachograph/wire';
import { classifyJson, listOf, type Refusal } from './core/answers.ts';
import type { CoreParts } from './core-parts.ts';
import { networkSetback, setback, type Setback } from './step.ts';
import type { HttpAnswer } from './transport.ts';

/** One JSON exchange: the members of a good answer, or what stands in the way. */
export async function exchangeJson(
  { adapters }: CoreParts,
  path: string,
  body?: object,
): Promise<{ readonly [name: string]: unknown } | Setback> {
  const answer = await adapters.transport.send(
    body === undefined
      ? { method: 'GET', path }
      : { method: 'POST', path, contentType: 'application/json', body: utf8(JSON.stringify(body)) },
  );
  const classified = classifyJson(answer, adapters.clock.wallMs());
  return classified.kind === 'json' ? classified.json : setbackOf(classified);
}

/** A refusal as a setback. */
export function setbackOf(refusal: Refusal): Setback {
  switch (refusal.kind) {
    case 'network':
      return networkSetback(refusal.detail);
    case 'later':
      return setback('server', problem(refusal.code, 'asked to come back later'), refusal.retryAfterMs);
    case 'refused':
      return setback('refused', problem(refusal.code, refusal.detail), refusal.retryAfterMs);
    default:
      return setback('refused', problem(refusal.code, 'the request was not understood'));
  }
}

function problem(code: ErrorCode, detail: string) {
  return { code, detail };
}

export function isSetback(value: object): value is Setback {
  return 'kind' in value && value.kind === 'setback';
}

/** Asks for the keys note and for what leads to it, and adopts it if a trusted directive key signed it. */
export async function fetchKeys(parts: CoreParts): Promise<void> {
  const json = await exchangeJson(parts, '/v1/keys');
  if (isSetback(json) || typeof json['keys'] !== 'string') return;
  const served = typeof json['directiveKey'] === 'string' ? json['directiveKey'] : null;
  const handovers = listOf(json['handovers']).filter((note) => typeof note === 'string');
  const { problem: found } = await parts.trust.adopt({ note: json['keys'], served, handovers });
  if (found !== null) parts.report(found);
}

/**
 * Takes the keys note of an answer. Where no trusted directive key has signed it, the device may have been away while
 * that key was exchanged: what leads to the present one is asked for.
 */
export async function takeKeys(parts: CoreParts, note: string, served: string | null): Promise<void> {
  let adoption = await parts.trust.adopt({ note, served });
  if (!adoption.verified) {
    await fetchKeys(parts);
    adoption = await parts.trust.adopt({ note, served });
  }
  if (adoption.problem !== null) parts.report(adoption.problem);
}

/** Sends an append. */
export function sendAppend(
  { adapters, tenant }: CoreParts,
  device: string,
  { body, keepalive }: { body: Bytes; keepalive: boolean },
): Promise<HttpAnswer> {
  return adapters.transport.send({
    method: 'POST',
    path: `/v1/logs/${tenant}/${device}`,
    contentType: 'text/plain',
    body,
    keepalive,
  });
}
