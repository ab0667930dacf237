import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { LIMITS, type Bytes, type Parsed } from '@tachograph/wire';
import { readAppendBody } from '../../src/http/append-body.ts';
import { BodyBudget } from '../../src/http/body-budget.ts';

const OK: Parsed<void> = { ok: true, value: undefined };

async function read(chunks: Iterable<Uint8Array>, answer: Parsed<void> = OK) {
  const seen: Buffer[] = [];
  const result = await readAppendBody(
    Readable.from(Array.from(chunks, (chunk) => Buffer.from(chunk))),
    (chunk: Bytes) => {
      seen.push(Buffer.from(chunk));
      return answer;
    },
    new BodyBudget().open('sender'),
  );
  return { result, body: Buffer.concat(seen), calls: seen.length };
}

function bytewise(body: Uint8Array): Uint8Array[] {
  return Array.from(body, (byte) => Uint8Array.of(byte));
}

function random(length: number): Buffer {
  // Incompressible, and the same in every run.
  let state = 1;
  return Buffer.from(
    Array.from({ length }, () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) >> 16),
  );
}

const TEXT = Buffer.from('old 0\n\nsome body\n');

describe('readAppendBody', () => {
  it.each([
    ['plain', [TEXT]],
    ['plain, byte by byte', bytewise(TEXT)],
    ['gzip', [gzipSync(TEXT)]],
    ['gzip, byte by byte', bytewise(gzipSync(TEXT))],
    ['gzip of two members', [gzipSync(TEXT.subarray(0, 5)), gzipSync(TEXT.subarray(5))]],
  ])('hands on what was meant, sent as %s', async (_how, chunks) => {
    const { result, body } = await read(chunks);
    expect(result.ok).toBe(true);
    expect(body.equals(TEXT)).toBe(true);
  });

  it.each([
    ['nothing', []],
    ['one byte', [Uint8Array.of(0x1f)]],
  ])('hands on %s as it is', async (_what, chunks) => {
    const { result, body } = await read(chunks);
    expect(result.ok).toBe(true);
    expect(body).toHaveLength(chunks.length);
  });

  it.each([
    ['cut short', gzipSync(TEXT).subarray(0, -3)],
    ['with a wrong checksum', Buffer.concat([gzipSync(TEXT).subarray(0, -8), Buffer.alloc(8)])],
    ['with bytes behind it', Buffer.concat([gzipSync(TEXT), Buffer.from('more')])],
    ['that is only its magic bytes', Buffer.from([0x1f, 0x8b])],
  ])('refuses gzip %s', async (_how, body) => {
    const { result, calls } = await read([body]);
    expect(result).toMatchObject({ ok: false, fault: { code: 'ERR_ENCODING' } });
    expect(calls).toBe(0);
  });

  it('claims what gzip inflates to before it is inflated, also where its end says less (INV-14)', async () => {
    const zeros = new Uint8Array(LIMITS.appendBytesMax / 2);
    for (const [body, claims] of [
      [gzipSync(zeros), [zeros.length]],
      [Buffer.concat([gzipSync(zeros), gzipSync('x')]), [1, LIMITS.appendBytesMax - 1]],
    ] as const) {
      const taken: number[] = [];
      const claim = { take: (bytes: number) => taken.push(bytes) > 0, release: () => undefined };
      let handed = 0;
      const result = await readAppendBody(
        Readable.from([body]),
        (chunk) => {
          handed += chunk.length;
          return { ok: true, value: undefined };
        },
        claim,
      );
      expect(result.ok).toBe(true);
      expect(handed).toBeGreaterThanOrEqual(zeros.length);
      expect(taken).toEqual([body.length, ...claims]);
      // Where there is no room for it, nothing is inflated at all.
      const small = { take: (bytes: number) => bytes <= body.length, release: () => undefined };
      const refused = await readAppendBody(
        Readable.from([body]),
        () => ({ ok: true, value: undefined }),
        small,
      );
      expect(refused).toMatchObject({ ok: false, fault: { code: 'ERR_OVERLOADED' } });
    }
  });

  it('lets a body of exactly the limit through, plain or gzip', async () => {
    const body = random(LIMITS.appendBytesMax);
    for (const sent of [body, gzipSync(body)]) expect((await read([sent])).result.ok).toBe(true);
  });

  it('refuses one byte more, plain or gzip', async () => {
    const gzip = gzipSync(Buffer.alloc(LIMITS.appendBytesMax + 1));
    expect((await read([gzip])).result).toMatchObject({
      fault: { code: 'ERR_BODY_TOO_LARGE', limit: LIMITS.appendBytesMax },
    });
    // The parser counts what it is handed; here only what cannot be an append any more is refused.
    const plain = Array.from({ length: 10 }, () => Buffer.alloc(64 * 1024));
    expect((await read(plain)).result).toMatchObject({ fault: { code: 'ERR_BODY_TOO_LARGE' } });
  });

  it('spends little memory on a bomb of 200 MiB (INV-14)', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
    const before = process.memoryUsage().rss;
    const { result, calls } = await read([bomb]);
    expect(result).toMatchObject({ fault: { code: 'ERR_BODY_TOO_LARGE' } });
    expect(calls).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024);
  });

  it('refuses an endless row of empty members', async () => {
    const member = gzipSync(Buffer.alloc(0));
    function* members() {
      for (let i = 0; i < 100_000; i++) yield member;
    }
    expect((await read(members())).result).toMatchObject({ fault: { code: 'ERR_BODY_TOO_LARGE' } });
  });

  it('stops reading a body that goes on long after it was refused', async () => {
    let pulled = 0;
    function* endless() {
      for (;;) {
        pulled += 64 * 1024;
        yield Buffer.alloc(64 * 1024);
      }
    }
    const { ok } = await readAppendBody(Readable.from(endless()), () => OK, new BodyBudget().open('sender'));
    expect(ok).toBe(false);
    expect(pulled).toBeLessThan(4 * 1024 * 1024);
  });

  it('answers what the parser refused, and hands it nothing more', async () => {
    const fault = { code: 'ERR_APPEND', detail: 'test' } as const;
    const { result, calls } = await read([TEXT, TEXT, TEXT], { ok: false, fault });
    expect(result).toEqual({ ok: false, fault });
    expect(calls).toBe(1);
  });
});
