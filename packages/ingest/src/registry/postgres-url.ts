/**
 * Modes that say for certain whether there is TLS (PostgreSQL, 34.19.1 "Client Verification of Server Certificates").
 * `allow` and `prefer` do not, and are no settings here.
 */
const SSL_MODES: ReadonlySet<string | null> = new Set([
  null,
  'disable',
  'require',
  'verify-ca',
  'verify-full',
]);

/** Whether a text is an address of PostgreSQL with a mode of TLS that means something. */
export function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, searchParams } = new URL(text);
  return /^postgres(ql)?:$/.test(protocol) && SSL_MODES.has(searchParams.get('sslmode'));
}

/** The address as the driver is given it: wherever TLS is asked for, the server proves that it is the one named. */
export function strictUrl(text: string): string {
  const url = new URL(text);
  const mode = url.searchParams.get('sslmode');
  if (mode === 'require' || mode === 'verify-ca') url.searchParams.set('sslmode', 'verify-full');
  return url.href;
}

/** Where a server is, without who connects to it. */
export function placeOf(text: string): string {
  const { host, pathname } = new URL(text);
  return `${host}${pathname}`;
}
