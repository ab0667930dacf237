import type { Bytes } from '@tachograph/wire';

/** The field's prime, 2^255 − 19 (RFC 8032, section 5.1). */
const P = 2n ** 255n - 19n;
/** The order of the base point. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The curve's constant, −121665/121666. */
const D = mod(-121665n * inverse(121666n));
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** A point in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z (RFC 8032, section 5.1.4). */
type Point = { readonly X: bigint; readonly Y: bigint; readonly Z: bigint; readonly T: bigint };

const IDENTITY: Point = { X: 0n, Y: 1n, Z: 1n, T: 0n };

/**
 * Whether 32 bytes are a public key that an honest device can have: a point of the curve in its one encoding, of
 * prime order. OpenSSL takes any 32 bytes; under a key of small order a signature that anybody can write verifies
 * on every message, so nothing in its log would be signed by anyone. A few milliseconds: ask it last.
 *
 * Nothing here is secret, so nothing here is constant in time.
 */
export function isStrongPublicKey(bytes: Bytes): boolean {
  const point = decode(bytes);
  return point !== null && !isIdentity(point) && isIdentity(multiply(ORDER, point));
}

/** RFC 8032, section 5.1.3; `null` where it fails, or where y has a smaller encoding. */
function decode(bytes: Bytes): Point | null {
  if (bytes.length !== 32) return null;
  const encoded = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const y = encoded & (2n ** 255n - 1n);
  const isOdd = encoded >> 255n === 1n;
  if (y >= P) return null;
  const x = recoverX(y);
  if (x === null || (x === 0n && isOdd)) return null;
  const X = ((x & 1n) === 1n) === isOdd ? x : P - x;
  return { X, Y: y, Z: 1n, T: mod(X * y) };
}

/** A square root of (y² − 1) / (dy² + 1), where there is one. */
function recoverX(y: bigint): bigint | null {
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  const x = mod(u * v ** 3n * power(mod(u * v ** 7n), (P - 5n) / 8n));
  if (mod(v * x * x) === u) return x;
  const other = mod(x * SQRT_MINUS_ONE);
  return mod(v * other * other) === u ? other : null;
}

function multiply(factor: bigint, point: Point): Point {
  let sum = IDENTITY;
  for (let double = point, rest = factor; rest > 0n; rest >>= 1n, double = add(double, double)) {
    if ((rest & 1n) === 1n) sum = add(sum, double);
  }
  return sum;
}

/** RFC 8032, section 5.1.4: complete, so it also doubles. */
function add(p: Point, q: Point): Point {
  const a = mod((p.Y - p.X) * (q.Y - q.X));
  const b = mod((p.Y + p.X) * (q.Y + q.X));
  const c = mod(2n * D * p.T * q.T);
  const d = mod(2n * p.Z * q.Z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { X: mod(e * f), Y: mod(g * h), Z: mod(f * g), T: mod(e * h) };
}

function isIdentity({ X, Y, Z }: Point): boolean {
  return mod(X) === 0n && mod(Y - Z) === 0n;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = mod(square * square)) {
    if ((rest & 1n) === 1n) result = mod(result * square);
  }
  return result;
}

/** By Fermat's little theorem. */
function inverse(value: bigint): bigint {
  return power(mod(value), P - 2n);
}
