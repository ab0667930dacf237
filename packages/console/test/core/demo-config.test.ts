import { describe, expect, it } from '@jest/globals';
import { parseServedConfig } from '../../src/core/demo-config.ts';

describe('parseServedConfig', () => {
  it('keeps the token apart from what is stored', () => {
    const text = JSON.stringify({
      authority: 'localhost',
      tenant: 'demo',
      directiveKey: 'k',
      enrolmentToken: 't',
    });
    expect(parseServedConfig(text)).toEqual({
      config: { authority: 'localhost', tenant: 'demo', directiveKey: 'k' },
      enrolmentToken: 't',
    });
  });

  it('reads its own stored form, which has no token', () => {
    const stored = { authority: 'audit.example.com', tenant: 'acme', endpoint: 'https://audit.example.com' };
    expect(parseServedConfig(JSON.stringify(stored))).toEqual({ config: stored, enrolmentToken: null });
  });

  it('takes no captive portal for a server', () => {
    for (const text of ['', '<!doctype html>', 'null', '[]', '{}', '{"authority":1,"tenant":"demo"}'])
      expect(parseServedConfig(text)).toBeNull();
  });
});
