import { keyNames, parseAuthority, sha256, SIGNATURE_TYPE, toHex, utf8 } from '../src/index.ts';
import { deviceOf, signerOf, valueOf } from './support.ts';

/** One valid value of each kind of statement, about the log of one device, and the keys that sign here. */
export const device = await deviceOf(1);
export const { origin } = device;
export const authority = valueOf(parseAuthority('audit.example.com'));
export const root = sha256(utf8('root'));
const TIME = Date.parse('2026-11-22T10:00:00.123Z');
export const cosigner = await signerOf(5, keyNames(authority).cosigner, SIGNATURE_TYPE.cosignature);
export const lease = await signerOf(6, keyNames(authority).lease);

export const request = {
  origin,
  size: 4045,
  nonce: 'n0nce~',
  wallClock: TIME,
  boot: 'b3f1',
  monotonicMs: 81234.5,
  pendingCount: 24,
  oldestPending: TIME - 1000,
};
export const grant = {
  origin,
  nonce: 'n',
  blockAfterSeconds: 259200,
  wipeAfterSeconds: 1209600,
  scopes: ['v_1', '*'],
};
export const purge = { origin, id: 'p-1', scopes: ['*'], reason: 'Gerät verloren, sofort', issued: TIME };
export const succession = {
  oldOrigin: origin,
  newOrigin: (await deviceOf(2)).origin,
  reason: 'fork' as const,
};
export const enrolment = { origin, challenge: 'c.h.a', credentialHash: toHex(root) };
export const restore = { origin, size: 7, root };
export const keys = { authority, counter: 3, keys: [cosigner.key, lease.key] };
