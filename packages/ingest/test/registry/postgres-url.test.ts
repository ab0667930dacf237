import { describe, expect, it } from '@jest/globals';
import { isPostgresUrl, placeOf, strictUrl } from '../../src/registry/postgres-url.ts';

const URL_OF = 'postgres://u:p%40ss@db.example:5433/audit';

describe('an address of PostgreSQL', () => {
  it.each(['', '?sslmode=disable', '?sslmode=verify-full&sslrootcert=/etc/ca.pem', '?sslmode=require'])(
    'is taken with %j',
    (query) => {
      expect(isPostgresUrl(`${URL_OF}${query}`)).toBe(true);
    },
  );

  it('has its certificate checked in full wherever TLS is asked for', () => {
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      expect(strictUrl(`${URL_OF}?sslmode=${mode}`)).toBe(`${URL_OF}?sslmode=verify-full`);
    }
    for (const query of ['', '?sslmode=disable'])
      expect(strictUrl(`${URL_OF}${query}`)).toBe(`${URL_OF}${query}`);
  });

  it('is shown without user and password', () => {
    expect(placeOf(`${URL_OF}?sslmode=disable`)).toBe('db.example:5433/audit');
  });
});
