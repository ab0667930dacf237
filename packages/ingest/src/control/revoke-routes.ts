import { z } from 'zod';
import type { ControlContext } from '../api-context.ts';
import { route, type AdminGrant, type Route } from '../http/route.ts';
import { deviceId, isoOf, line, tenantId, timestamp } from '../http/schemas.ts';
import { actorOf } from './actor.ts';
import { revokeCircle, revokeDevice, type Circle, type RevocationOrder } from './revocation.ts';

const PURGE_SCOPES_MAX = 256;

/** As a directive writes them: no space and no comma. */
const scope = z.string().regex(/^[\x21-\x2b\x2d-\x7e]{1,128}$/, 'is 1 to 128 printable characters, no comma');

const revokeBody = z.strictObject({
  reason: line(512),
  purge: z
    .array(scope)
    .max(PURGE_SCOPES_MAX)
    .refine((scopes) => !scopes.includes('*') || scopes.length === 1, '"*" stands alone')
    .refine((scopes) => !scopes.includes('-'), '"-" is no scope')
    .default([])
    .meta({ description: 'what the device must destroy of its cache: "*", scopes of the app, or nothing' }),
});

export const subjectParam = line(256).meta({ description: 'the person, as tokens and sign-ins name them' });

export const childrenQuery = z.object({
  children: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .meta({ description: 'the same for every customer of a provider' }),
});

const circleAnswer = z.object({
  devices: z.int().meta({ description: 'devices concerned, those that were revoked before included' }),
  revoked: z.int().meta({ description: 'devices that were not revoked before' }),
  purgesOrdered: z.int().meta({ description: 'new directives' }),
  tokensEnded: z.int().meta({ description: 'enrolment tokens that let nobody in any more' }),
});

/** Shutting out: a device, a person, a tenant. */
export function revokeRoutes(context: ControlContext): Route[] {
  return [deviceRoute(context), subjectRoute(context), tenantRoute(context)];
}

function orderOf(
  { clock }: ControlContext,
  { reason, purge: scopes }: z.output<typeof revokeBody>,
  admin: AdminGrant | null,
): RevocationOrder {
  return { reason, scopes, actor: actorOf(admin), at: clock() };
}

function deviceRoute(context: ControlContext): Route {
  return route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/devices/{device}/revoke',
    operationId: 'revokeDevice',
    tag: 'control',
    summary: 'Revokes a device: no more leases, and an order to destroy its cache where one is given.',
    access: 'admin',
    params: z.object({ tenant: tenantId, device: deviceId }),
    body: revokeBody,
    answers: {
      200: {
        description: 'The device is revoked; it may still upload what it recorded',
        schema: z.object({
          device: z.string(),
          status: z.literal('revoked'),
          revokedAt: timestamp,
          directive: z.string().nullable().meta({ description: 'the signed purge note' }),
        }),
      },
    },
    errors: ['ERR_UNKNOWN_TENANT', 'ERR_UNKNOWN_DEVICE'],
    handle: async ({ params: key, body, admin }) => {
      const revoked = await revokeDevice(context, key, orderOf(context, body, admin));
      if (!revoked.ok) return { fault: revoked.fault };
      context.tenantLog.wake();
      const { revokedAt, directive } = revoked.value;
      const answer = { device: key.device, status: 'revoked', revokedAt: isoOf(revokedAt), directive };
      return { status: 200, body: answer };
    },
  });
}

function subjectRoute(context: ControlContext): Route {
  return route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/subjects/{subject}/revoke',
    operationId: 'revokeSubject',
    tag: 'control',
    summary: 'Revokes every device of a person, and ends the enrolment tokens that were bound to them.',
    access: 'admin',
    params: z.object({ tenant: tenantId, subject: subjectParam }),
    query: childrenQuery,
    body: revokeBody,
    answers: { 200: { description: 'What it came to; made again, it goes on', schema: circleAnswer } },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: ({ params: { tenant, subject }, query: { children }, body, admin }) =>
      answerCircle(context, { tenant, subject, children }, orderOf(context, body, admin)),
  });
}

function tenantRoute(context: ControlContext): Route {
  return route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/revoke',
    operationId: 'revokeTenant',
    tag: 'control',
    summary: 'Revokes a tenant: all its devices and enrolment tokens. No device enrols there any more.',
    access: 'admin',
    params: z.object({ tenant: tenantId }),
    query: childrenQuery,
    body: revokeBody,
    answers: { 200: { description: 'What it came to; made again, it goes on', schema: circleAnswer } },
    errors: ['ERR_UNKNOWN_TENANT'],
    handle: ({ params: { tenant }, query: { children }, body, admin }) =>
      answerCircle(context, { tenant, subject: null, children }, orderOf(context, body, admin)),
  });
}

async function answerCircle(context: ControlContext, circle: Circle, order: RevocationOrder) {
  const revoked = await revokeCircle(context, circle, order);
  return revoked.ok ? { status: 200, body: revoked.value } : { fault: revoked.fault };
}
