import { parseAuthority, parseTenantId, type Authority, type TenantId } from '@tachograph/wire';
import { AuditBufferError } from './errors.ts';

export type BufferNames = { readonly authority: Authority; readonly tenant: TenantId };

/**
 * The checked names of a configuration. `others` are problems that were found elsewhere in it.
 * @throws AuditBufferError ERR_CONFIG, naming everything that is wrong
 */
export function checkNames(
  config: { endpoint: string; authority: string; tenant: string },
  others: readonly string[] = [],
): BufferNames {
  const authority = parseAuthority(config.authority);
  const tenant = parseTenantId(config.tenant);
  const problems = [
    ...(isHttp(config.endpoint) ? [] : ['endpoint: an http or https address']),
    ...(authority.ok ? [] : [`authority: ${authority.fault.detail}`]),
    ...(tenant.ok ? [] : [`tenant: ${tenant.fault.detail}`]),
    ...others,
  ];
  if (problems.length > 0 || !authority.ok || !tenant.ok)
    throw new AuditBufferError('ERR_CONFIG', problems.join('; '));
  return { authority: authority.value, tenant: tenant.value };
}

function isHttp(address: string): boolean {
  return URL.canParse(address) && ['http:', 'https:'].includes(new URL(address).protocol);
}
