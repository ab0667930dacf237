import { describe, expect, it } from '@jest/globals';
import {
  deviceIdOf,
  originOf,
  parseAuthority,
  parseDeviceId,
  parseOrigin,
  parseTenantId,
  publicJwk,
  thumbprintOf,
  toBase64Url,
} from '../src/index.ts';
import { codeOf, faultOf, publicKeyOfSeed, valueOf } from './support.ts';

const DEVICE = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

describe('a device id', () => {
  it('is the thumbprint of RFC 8037, appendix A.3', () => {
    const publicKey = new Uint8Array(Buffer.from('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'base64url'));
    expect(deviceIdOf(publicKey)).toBe(DEVICE);
    expect(toBase64Url(thumbprintOf(publicKey))).toBe(DEVICE);
    expect(publicJwk(publicKey)).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    });
  });

  it('differs for every key', async () => {
    const ids = await Promise.all(
      [1, 2, 3].map(async (byte) => deviceIdOf(await publicKeyOfSeed(new Uint8Array(32).fill(byte)))),
    );
    expect(new Set(ids).size).toBe(3);
  });

  it.each([
    '',
    DEVICE.slice(1),
    `${DEVICE}A`,
    `${DEVICE}=`,
    DEVICE.replace('_', '/'),
    `${DEVICE.slice(0, -1)}l`,
    ` ${DEVICE}`,
  ])('is not %j', (text) => {
    expect(faultOf(parseDeviceId(text))).toMatchObject({ code: 'ERR_NAME', field: 'device' });
  });
});

describe('a tenant', () => {
  it.each(['a', '0', 'acme', 'acme-1', 'a-', 'a'.repeat(63)])('may be %j', (text) => {
    expect(valueOf(parseTenantId(text))).toBe(text);
  });

  it.each(['', '-a', 'Acme', 'a_b', 'a.b', 'a/b', 'ü', 'a\n', 'a'.repeat(64)])('is not %j', (text) => {
    expect(faultOf(parseTenantId(text))).toMatchObject({ code: 'ERR_NAME', field: 'tenant' });
  });
});

describe('an authority', () => {
  it.each(['localhost', 'audit.example.com', 'localhost:8787', 'a', '10.0.0.1:1'])('may be %j', (text) => {
    expect(valueOf(parseAuthority(text))).toBe(text);
  });

  it.each([
    '',
    'Audit.example.com',
    'https://audit.example.com',
    'audit.example.com/',
    '.example',
    'example.',
    'a:',
    'a:123456',
    'a:b',
    'a b',
    'a+b',
    'a\n',
    'a'.repeat(254),
  ])('is not %j', (text) => {
    expect(faultOf(parseAuthority(text))).toMatchObject({ code: 'ERR_NAME', field: 'authority' });
  });
});

describe('an origin', () => {
  it('is its three parts and comes apart again', () => {
    const parts = {
      authority: valueOf(parseAuthority('localhost:8787')),
      tenant: valueOf(parseTenantId('acme')),
      device: valueOf(parseDeviceId(DEVICE)),
    };
    const origin = originOf(parts.authority, parts.tenant, parts.device);
    expect(origin).toBe(`localhost:8787/acme/${DEVICE}`);
    expect(valueOf(parseOrigin(origin))).toEqual({ ...parts, origin });
  });

  it.each([
    '',
    'a',
    'a/b',
    `a/b/${DEVICE}/c`,
    `a//${DEVICE}`,
    `/b/${DEVICE}`,
    `a/B/${DEVICE}`,
    `a/b/${DEVICE}\n`,
    'a/b/c',
  ])('is not %j', (text) => {
    expect(codeOf(parseOrigin(text))).toBe('ERR_NAME');
    expect(faultOf(parseOrigin(text)).field).toBe('origin');
  });
});
