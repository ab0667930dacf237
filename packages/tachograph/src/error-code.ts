const SQLITE_BUSY = 5;

/** The code of an error of the operating system or of Node, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  const code = memberOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** Whether SQLite gave up waiting for another connection's lock. */
export function isSqliteBusy(error: unknown): boolean {
  const code = memberOf(error, 'errcode');
  // The low byte is the primary result code; the rest says more precisely why.
  return typeof code === 'number' && (code & 0xff) === SQLITE_BUSY;
}

/** What went wrong, in the words of the operating system or the library. */
export function errorMessage(error: unknown): string {
  const message = memberOf(error, 'message');
  return typeof message === 'string' ? message : String(error);
}

/** Errors of native modules are not always instances of this realm's `Error`, so only their members are looked at. */
function memberOf(error: unknown, name: 'code' | 'errcode' | 'message'): unknown {
  return typeof error === 'object' && error !== null
    ? (error as { readonly [name: string]: unknown })[name]
    : undefined;
}
