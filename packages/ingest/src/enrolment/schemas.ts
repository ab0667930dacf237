import { z } from 'zod';
import { LIMITS } from '@tachograph/wire';
import { ENROLMENT_METHODS } from '../core/policy.ts';
import { line, timestamp } from '../http/schemas.ts';

const note = z
  .string()
  .min(1)
  .max(LIMITS.noteBytesMax)
  .meta({ description: 'a signed note (C2SP signed-note)' });

export const enrolmentBody = z.object({
  publicKey: z
    .object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().length(43) })
    .meta({ description: "the device's public key, a JSON Web Key (RFC 8037)" }),
  proof: note,
  credential: z.discriminatedUnion('type', [
    z.object({ type: z.literal('token'), token: z.string().min(1).max(512) }),
    z.object({ type: z.literal('predecessor'), succession: note }),
  ]),
  installation: z.object({ label: line(256).optional(), platform: line(256).optional() }).optional(),
});
export type EnrolmentBody = z.output<typeof enrolmentBody>;

export const challengeAnswer = z.object({
  authority: z.string(),
  challenge: z.string(),
  expires: timestamp,
  methods: z.array(z.enum(ENROLMENT_METHODS)),
  keys: note,
  directiveKey: z.string(),
});

export const DEVICE_STATUSES = ['pending_approval', 'enrolled', 'quarantined', 'revoked'] as const;

export const enrolmentAnswer = z.object({
  device: z.string(),
  origin: z.string(),
  status: z.enum(DEVICE_STATUSES),
  size: z.int().nonnegative(),
  keys: note,
  limits: z.record(z.string(), z.number()),
});

export const keysAnswer = z.object({
  keys: note,
  directiveKey: z.string(),
  handovers: z
    .array(note)
    .meta({ description: 'older keys notes, by which one directive key handed over to the next' }),
});
