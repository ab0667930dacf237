/**
 * A parameter as every database can hold it. PostgreSQL's text has every character but NUL, and SQLite's ends there:
 * what a device put into its text must not keep the others' from settling, nor hide what follows.
 */
export function storable<T>(parameter: T): T | string {
  return typeof parameter === 'string' && parameter.includes('\0')
    ? parameter.replaceAll('\0', '\ufffd')
    : parameter;
}
