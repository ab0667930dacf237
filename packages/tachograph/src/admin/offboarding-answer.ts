import { z } from 'zod';

const target = z.looseObject({
  tenant: z.string(),
  type: z.string(),
  id: z.string(),
  name: z.string().nullable(),
  kinds: z.array(z.string()),
  firstAt: z.string(),
  lastAt: z.string(),
  devices: z.number(),
  late: z.boolean(),
  revocation: z.array(z.string()),
});
export type Target = z.infer<typeof target>;

const device = z.looseObject({
  tenant: z.string(),
  device: z.string(),
  label: z.string().nullable(),
  end: z.string(),
  purgedAt: z.string().nullable(),
  leaseBlocksAt: z.string().nullable(),
  lastSeen: z.string().nullable(),
});

/** What the control API answers of an offboarding. */
export const offboardingReport = z.looseObject({
  done: z.boolean(),
  devices: z.array(device),
  devicesTotal: z.number(),
  targets: z.array(target),
  targetsComplete: z.boolean(),
  cursor: z.string().nullable(),
});
export type OffboardingReport = z.infer<typeof offboardingReport>;

/** What it answers of the revocation of a person or a tenant. */
export const revokedCircle = z.looseObject({
  devices: z.number(),
  revoked: z.number(),
  purgesOrdered: z.number(),
  tokensEnded: z.number(),
});
