import { z } from 'zod';
import { parseDeviceId, parseTenantId, type DeviceId, type TenantId } from '@tachograph/wire';

/** A tenant's name in a path or a body. */
export const tenantId = z
  .string()
  .refine((text) => parseTenantId(text).ok, 'is 1 to 63 of a-z, 0-9 and -, not starting with -')
  .transform((text) => text as TenantId)
  .meta({ description: '1 to 63 of a-z, 0-9 and -, not starting with -', example: 'acme' });

export const deviceId = z
  .string()
  .refine((text) => parseDeviceId(text).ok, 'is a SHA-256 thumbprint in base64url')
  .transform((text) => text as DeviceId)
  .meta({ description: 'RFC 7638 SHA-256 thumbprint of the device key, base64url' });

/** Control characters (C0, C1), line and paragraph separators, and what turns the direction of text around. */
const NOT_IN_A_LINE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/**
 * Text that people wrote, as one line that stays one wherever it is shown: it steers no terminal, and it cannot make
 * a name read as another one.
 */
export function line(charactersMax: number) {
  return z
    .string()
    .min(1)
    .max(charactersMax)
    .refine((text) => text.isWellFormed() && !NOT_IN_A_LINE.test(text), 'is one line of text');
}

/** A time in an answer: RFC 3339 UTC with milliseconds. */
export const timestamp = z.iso.datetime({ precision: 3 });

export function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export function isoOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : isoOf(milliseconds);
}
