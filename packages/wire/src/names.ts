import { fromBase64Url, toBase64Url } from './base64.ts';
import { type Bytes, utf8 } from './bytes.ts';
import { parsing, refuse, type Parsed } from './fault.ts';
import { sha256 } from './sha256.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Schema-less name of a deployment, e.g. `audit.example.com` or `localhost:8787`. */
export type Authority = Branded<'Authority'>;
/** A client organisation: `[a-z0-9][a-z0-9-]{0,62}`. */
export type TenantId = Branded<'TenantId'>;
/** RFC 7638 SHA-256 thumbprint of a device's Ed25519 key, base64url. */
export type DeviceId = Branded<'DeviceId'>;
/** `<authority>/<tenant>/<device>`: the name of a device's log, and of its checkpoint key. */
export type Origin = Branded<'Origin'>;

const AUTHORITY = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$/;
const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;

export function parseAuthority(text: string): Parsed<Authority> {
  return parsing(() => {
    if (!AUTHORITY.test(text))
      refuse('ERR_NAME', 'an authority is a host name, with a port or without', { field: 'authority' });
    return text as Authority;
  });
}

export function parseTenantId(text: string): Parsed<TenantId> {
  return parsing(() => {
    if (!TENANT.test(text))
      refuse('ERR_NAME', 'a tenant is 1 to 63 of a-z, 0-9 and -, not starting with -', { field: 'tenant' });
    return text as TenantId;
  });
}

export function parseDeviceId(text: string): Parsed<DeviceId> {
  return parsing(() => {
    if (fromBase64Url(text)?.length !== 32)
      refuse('ERR_NAME', 'a device is a SHA-256 thumbprint in base64url', { field: 'device' });
    return text as DeviceId;
  });
}

export function originOf(authority: Authority, tenant: TenantId, device: DeviceId): Origin {
  return `${authority}/${tenant}/${device}` as Origin;
}

/** The three parts of an origin. */
export function parseOrigin(
  text: string,
): Parsed<{ authority: Authority; tenant: TenantId; device: DeviceId; origin: Origin }> {
  return parsing(() => {
    const [authority, tenant, device, ...rest] = text.split('/');
    const names = [
      parseAuthority(authority ?? ''),
      parseTenantId(tenant ?? ''),
      parseDeviceId(device ?? ''),
    ] as const;
    if (rest.length > 0 || !names[0].ok || !names[1].ok || !names[2].ok) {
      return refuse('ERR_NAME', 'an origin is <authority>/<tenant>/<device>', { field: 'origin' });
    }
    return {
      authority: names[0].value,
      tenant: names[1].value,
      device: names[2].value,
      origin: text as Origin,
    };
  });
}

/** A public Ed25519 key as JSON Web Key (RFC 8037). */
export type PublicJwk = { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };

export function publicJwk(publicKey: Uint8Array): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(publicKey) };
}

/** The device that a 32-byte Ed25519 public key names: its thumbprint (RFC 7638, section 3; RFC 8037, appendix A.3). */
export function deviceIdOf(publicKey: Uint8Array): DeviceId {
  return toBase64Url(thumbprintOf(publicKey)) as DeviceId;
}

export function thumbprintOf(publicKey: Uint8Array): Bytes {
  return sha256(utf8(`{"crv":"Ed25519","kty":"OKP","x":"${toBase64Url(publicKey)}"}`));
}
