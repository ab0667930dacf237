import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { CHALLENGE_NONCE_BYTES, makeChallenge } from '../core/challenge.ts';
import { senderOf } from '../core/network.ts';
import { RateLimiter } from '../http/rate-limit.ts';
import { route, type Answer, type Route } from '../http/route.ts';
import { isoOf, tenantId } from '../http/schemas.ts';
import { enrol, TOLD_LIMITS, type EnrolledState } from './enrol.ts';
import { policyOf, UNKNOWN_TENANT } from '../registry/tenants.ts';
import { challengeAnswer, enrolmentAnswer, enrolmentBody, keysAnswer } from './schemas.ts';

const params = z.object({ tenant: tenantId });
const PATH = '/v1/enrolment/{tenant}';

/** Refusals that become events of one tenant's log: a minute's worth at once, then one a second. */
const REFUSALS_REPORTED = { perSecond: 1, capacity: 60 } as const;

/** The routes by which a device becomes known, and by which anyone learns the authority's keys. */
export function enrolmentRoutes(context: ApiContext): Route[] {
  return [challengeRoute(context), enrolRoute(context), keysRoute(context)];
}

function challengeRoute({ registry, keys, config, clock }: ApiContext): Route {
  return route({
    method: 'GET',
    path: PATH,
    operationId: 'getEnrolment',
    tag: 'devices',
    summary: 'A challenge to enrol with, the kinds of credentials that the tenant takes, and the keys.',
    access: 'public',
    params,
    answers: { 200: { description: 'A challenge, good for an hour', schema: challengeAnswer } },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: async ({ params: { tenant } }) => {
      const policy = await policyOf(registry.db, tenant);
      if (policy === null) return { fault: UNKNOWN_TENANT };
      const { challenge, expires } = makeChallenge(
        keys.challengeSecret.reveal(),
        { authority: config.authority, tenant },
        clock(),
        new Uint8Array(randomBytes(CHALLENGE_NONCE_BYTES)),
      );
      const body = {
        authority: config.authority,
        challenge,
        expires: isoOf(expires),
        methods: policy.enrolment.methods,
        keys: keys.keysNote,
        directiveKey: keys.directiveKey,
      };
      return { status: 200, body };
    },
  });
}

function enrolRoute(context: ApiContext): Route {
  const perMinute = context.config.enrolmentsPerMinute;
  const limiter = new RateLimiter({ perSecond: perMinute / 60, capacity: perMinute }, context.clock);
  const refusals = new RateLimiter(REFUSALS_REPORTED, context.clock);
  return route({
    method: 'POST',
    path: PATH,
    operationId: 'enrol',
    tag: 'devices',
    summary: 'Enrols a device, or tells a known one its state.',
    access: 'device',
    params,
    body: enrolmentBody,
    answers: {
      200: { description: 'The device was known: its present state', schema: enrolmentAnswer },
      201: { description: 'The device is new', schema: enrolmentAnswer },
    },
    errors: [
      'ERR_UNKNOWN_TENANT',
      'ERR_NOTE',
      'ERR_NOTE_TOO_LARGE',
      'ERR_STATEMENT',
      'ERR_SIGNATURE',
      'ERR_ORIGIN_MISMATCH',
      'ERR_CREDENTIAL_MISMATCH',
      'ERR_CHALLENGE',
      'ERR_TENANT_REVOKED',
      'ERR_DEVICE_QUOTA',
      'ERR_METHOD',
      'ERR_POLICY',
      'ERR_TOKEN_UNKNOWN',
      'ERR_TOKEN_EXPIRED',
      'ERR_TOKEN_USED',
      'ERR_TOKEN_NETWORK',
      'ERR_SUCCESSION',
      'ERR_RATE',
    ],
    handle: async ({ params: { tenant }, body, address }) => {
      const within = limiter.take(senderOf(address));
      if (!within.ok) {
        context.metrics.rateLimited('address');
        const { retryAfterSeconds } = within;
        return {
          fault: { code: 'ERR_RATE', detail: 'too many enrolments from this address' },
          extras: { retryAfterSeconds },
        };
      }
      const outcome = await enrol(context, refusals, { tenant, address, body });
      return outcome.kind === 'refused' ? { fault: outcome.fault } : stateAnswer(context, outcome);
    },
  });
}

function stateAnswer({ keys }: ApiContext, { kind, candidate, status, size }: EnrolledState): Answer {
  return {
    status: kind === 'created' ? 201 : 200,
    body: {
      device: candidate.device,
      origin: candidate.origin,
      status,
      size,
      keys: keys.keysNote,
      limits: TOLD_LIMITS,
    },
  };
}

function keysRoute({ keys }: ApiContext): Route {
  return route({
    method: 'GET',
    path: '/v1/keys',
    operationId: 'getKeys',
    tag: 'devices',
    summary: "The authority's keys, signed by the directive key.",
    access: 'public',
    answers: { 200: { description: 'The keys note in force', schema: keysAnswer } },
    handle: async () => ({
      status: 200,
      body: { keys: keys.keysNote, directiveKey: keys.directiveKey, handovers: keys.handovers },
    }),
  });
}
