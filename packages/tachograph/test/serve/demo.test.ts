import { describe, expect, it } from '@jest/globals';
import { linesOf } from '../../src/serve/demo-api.ts';
import { demoRefusal } from '../../src/serve/demo-guard.ts';

describe('the demo', () => {
  it('shows the feed of its own tenant and of no other', () => {
    const own = '{"tenant":"demo","id":"2"}';
    const others = [
      '{"tenant":"acme","id":"demo"}',
      'CEF:0|demo',
      '{"id":"demo"}',
      'null',
      '{"tenant":["demo"]}',
    ];
    expect(linesOf('demo', [...others, own])).toEqual([own]);
  });

  it('answers this machine, and its own page', () => {
    const headers = { host: '127.0.0.1:8787', origin: 'http://127.0.0.1:8787' };
    expect(demoRefusal({ method: 'POST', headers }, true)).toBeNull();
    expect(demoRefusal({ method: 'POST', headers: { host: 'localhost' } }, true)).toBeNull();
  });

  it.each([
    ['whom a proxy brings', { host: '127.0.0.1:8787', 'x-forwarded-for': '203.0.113.7' }, 403],
    ['whom a proxy brings, as RFC 7239 has it', { host: 'localhost', forwarded: 'for=203.0.113.7' }, 403],
    ['another name of this machine', { host: 'demo.example:8787' }, 421],
    ['no name', {}, 421],
    ['a page of somebody else', { host: 'localhost', origin: 'https://evil.example' }, 403],
    ['a page without an origin', { host: 'localhost', origin: 'null' }, 403],
  ])('does nothing for %s', (_who, headers, status) => {
    expect(demoRefusal({ method: 'POST', headers }, true)?.status).toBe(status);
  });
});
