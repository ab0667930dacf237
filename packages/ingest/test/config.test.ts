import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { CONFIG_VARIABLES, loadConfig } from '../src/config.ts';

describe('loadConfig', () => {
  it('needs nothing: every default is valid', () => {
    const loaded = loadConfig({});
    expect(loaded).toMatchObject({
      ok: true,
      value: { port: 8787, host: '127.0.0.1', dataDir: './data', authority: 'localhost', adminToken: null },
    });
  });

  it('reports every problem at once, by name and by what is expected', () => {
    const loaded = loadConfig({
      PORT: '65536',
      AUTHORITY: 'Not A Host',
      ADMIN_TOKEN: 'short',
      LOG_LEVEL: 'loud',
      TRUSTED_PROXIES: '10.0.0.0/8,nonsense',
      LANE_BYTES_MAX: '1.5',
    });
    expect(loaded.ok).toBe(false);
    if (loaded.ok) return;
    expect(loaded.problems.map(({ variable }) => variable)).toEqual([
      'PORT',
      'AUTHORITY',
      'ADMIN_TOKEN',
      'LOG_LEVEL',
      'TRUSTED_PROXIES',
      'LANE_BYTES_MAX',
    ]);
    expect(loaded.fault.code).toBe('ERR_CONFIG');
    expect(loaded.fault.detail).toContain('PORT: expected a whole number from 0 to 65535');
    // A wrong token may be nearly the right one.
    expect(JSON.stringify(loaded)).not.toContain('short');
  });

  it.each(['0x10', '1e3', '-1', ' 8787', '08.5', '99999999999999'])('takes %j for no number', (PORT) => {
    expect(loadConfig({ PORT }).ok).toBe(false);
  });

  it.each([
    'mysql://u:hunter2@db.example/audit',
    'db.example/hunter2',
    'postgres://u:hunter2@db.example/audit?sslmode=prefer',
    'postgres://u:hunter2@db.example/audit?sslmode=yes',
  ])('refuses %j for an address of PostgreSQL, and does not repeat it', (DATABASE_URL) => {
    const loaded = loadConfig({ DATABASE_URL });
    expect(loaded).toMatchObject({ ok: false, problems: [{ variable: 'DATABASE_URL' }] });
    expect(JSON.stringify(loaded)).not.toContain('hunter2');
  });

  it('takes a variable that is set to nothing for unset', () => {
    expect(loadConfig({ PORT: '', ADMIN_TOKEN: '' })).toMatchObject({
      ok: true,
      value: { port: 8787, adminToken: null },
    });
  });

  it('reads durations in seconds and keeps milliseconds', () => {
    expect(loadConfig({ REQUEST_TIMEOUT_SECONDS: '30', HEADERS_TIMEOUT_SECONDS: '5' })).toMatchObject({
      value: { requestTimeoutMs: 30_000, headersTimeoutMs: 5000 },
    });
  });

  it('refuses headers that may take longer than the request they are part of', () => {
    const loaded = loadConfig({ REQUEST_TIMEOUT_SECONDS: '5', HEADERS_TIMEOUT_SECONDS: '10' });
    expect(loaded).toMatchObject({ ok: false, problems: [{ variable: 'HEADERS_TIMEOUT_SECONDS' }] });
  });

  it('shows the administrator token in no form but when it is asked for', () => {
    const secret = 'a-long-administrator-token';
    const loaded = loadConfig({ ADMIN_TOKEN: secret });
    if (!loaded.ok) throw new Error(loaded.fault.detail);
    const { adminToken } = loaded.value;
    expect(adminToken?.reveal()).toBe(secret);
    expect([String(adminToken), JSON.stringify(loaded), inspect(loaded, { depth: 9 })].join()).not.toContain(
      secret,
    );
    expect(adminToken?.equals(secret)).toBe(true);
    expect(adminToken?.equals(`${secret}x`)).toBe(false);
  });

  it('has a table in which every default is a valid value', () => {
    for (const { name, fallback, meaning } of CONFIG_VARIABLES) {
      expect(meaning).toMatch(/\.$/);
      if (fallback !== null) expect([name, loadConfig({ [name]: fallback }).ok]).toEqual([name, true]);
    }
  });
});
