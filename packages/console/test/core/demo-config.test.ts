import { describe, expect, it } from '@jest/globals';
import { parseDemoConfig, parseEnrolmentToken } from '../../src/core/demo-config.ts';

const PORTAL = ['', '<!doctype html>', 'null', '[]', '{}', '{"authority":1,"tenant":"demo","token":1}'];

describe('parseDemoConfig', () => {
  it('reads its own stored form, and leaves out what is not of it', () => {
    const stored = { authority: 'audit.example.com', tenant: 'acme', endpoint: 'https://audit.example.com' };
    expect(parseDemoConfig(JSON.stringify({ ...stored, token: 't' }))).toEqual(stored);
  });

  it('takes no captive portal for a server', () => {
    for (const text of PORTAL) expect(parseDemoConfig(text)).toBeNull();
  });
});

describe('parseEnrolmentToken', () => {
  it('reads the token, and takes no captive portal for one', () => {
    expect(parseEnrolmentToken('{"token":"tacho_enrol_1"}')).toBe('tacho_enrol_1');
    for (const text of PORTAL) expect(parseEnrolmentToken(text)).toBeNull();
  });
});
