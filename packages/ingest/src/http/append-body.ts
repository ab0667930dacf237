import type { Readable } from 'node:stream';
import { gunzip } from 'node:zlib';
import { concatBytes, LIMITS, type Bytes, type Fault, type Parsed } from '@tachograph/wire';
import { NO_ROOM, type BodyClaim } from './body-budget.ts';

/**
 * Bytes of a body as it arrives. Gzip makes incompressible bytes a little larger, never by this much. A bound on
 * what comes out is no bound on what goes in: empty gzip members inflate to nothing, for ever.
 */
const ARRIVING_BYTES_MAX = LIMITS.appendBytesMax + 64 * 1024;

/** How much of a refused body is read on and dropped, so that its sender gets to read the answer. */
const DROPPED_BYTES_MAX = 4 * ARRIVING_BYTES_MAX;

/** The two magic bytes of RFC 1952, section 2.3.1. An append starts with a letter. */
const GZIP_MAGIC = [0x1f, 0x8b] as const;

const TOO_LARGE: Fault = {
  code: 'ERR_BODY_TOO_LARGE',
  detail: 'the append is too large',
  limit: LIMITS.appendBytesMax,
};

/**
 * Reads the body of an append, inflated where it is gzip, and hands it on in pieces until it ends or `onChunk`
 * refuses. At most {@link ARRIVING_BYTES_MAX} as it arrives and `LIMITS.appendBytesMax` inflated are held, and no
 * more than `claim` gives.
 *
 * @returns what `onChunk` refused, ERR_BODY_TOO_LARGE, ERR_ENCODING or ERR_OVERLOADED
 * @throws where the connection ends before the body does
 */
export async function readAppendBody(
  source: Readable,
  onChunk: (chunk: Bytes) => Parsed<void>,
  claim: BodyClaim,
): Promise<Parsed<void>> {
  const body = new ArrivingBody(onChunk, claim);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (!body.take(bytesOf(chunk))) break;
  }
  return body.end();
}

class ArrivingBody {
  readonly #onChunk: (chunk: Bytes) => Parsed<void>;
  readonly #claim: BodyClaim;
  /** All of a gzip body; the first byte of any body until the second comes. */
  #held: Bytes[] = [];
  #heldBytes = 0;
  #arrivedBytes = 0;
  #kind: 'unknown' | 'plain' | 'gzip' = 'unknown';
  #fault: Fault | null = null;

  constructor(onChunk: (chunk: Bytes) => Parsed<void>, claim: BodyClaim) {
    this.#onChunk = onChunk;
    this.#claim = claim;
  }

  /** Takes the next bytes; `false` once no more of them is worth reading. */
  take(chunk: Bytes): boolean {
    this.#arrivedBytes += chunk.length;
    if (this.#fault !== null) return this.#arrivedBytes <= DROPPED_BYTES_MAX;
    if (this.#arrivedBytes > ARRIVING_BYTES_MAX) {
      this.#refuse(TOO_LARGE);
    } else if (!this.#claim.take(chunk.length)) {
      this.#refuse(NO_ROOM);
    } else if (this.#kind === 'plain') {
      this.#hand(chunk);
    } else {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#kind === 'unknown' && this.#heldBytes >= GZIP_MAGIC.length) this.#recognise();
    }
    return true;
  }

  async end(): Promise<Parsed<void>> {
    if (this.#fault === null && this.#kind === 'gzip') {
      await this.#inflate(concatBytes(...this.#held));
    } else if (this.#fault === null && this.#kind === 'unknown') {
      this.#recognise();
    }
    return this.#fault === null ? { ok: true, value: undefined } : { ok: false, fault: this.#fault };
  }

  /** What it inflates to is claimed before there is any of it: as much as its end says, and all there may be if that lies. */
  async #inflate(body: Bytes): Promise<void> {
    const said = Math.min(sizeSaidBy(body), LIMITS.appendBytesMax);
    let inflated = await this.#inflateWithin(body, said, said);
    if (!inflated.ok && inflated.fault === TOO_LARGE && said < LIMITS.appendBytesMax)
      inflated = await this.#inflateWithin(body, LIMITS.appendBytesMax - said, LIMITS.appendBytesMax);
    if (inflated.ok) this.#hand(inflated.value);
    else this.#refuse(inflated.fault);
  }

  async #inflateWithin(body: Bytes, claimed: number, bytesMax: number): Promise<Parsed<Bytes>> {
    return this.#claim.take(claimed) ? inflate(body, bytesMax) : { ok: false, fault: NO_ROOM };
  }

  #recognise(): void {
    const start = concatBytes(...this.#held);
    this.#kind = GZIP_MAGIC.every((byte, i) => start[i] === byte) ? 'gzip' : 'plain';
    if (this.#kind === 'gzip') return;
    this.#held = [];
    this.#hand(start);
  }

  #hand(chunk: Bytes): void {
    const taken = this.#onChunk(chunk);
    if (!taken.ok) this.#refuse(taken.fault);
  }

  #refuse(fault: Fault): void {
    this.#fault = fault;
    this.#held = [];
  }
}

/** RFC 1952, section 2.3.1: ISIZE, of the last member only, and as its sender wrote it. Never 0, which is no bound. */
function sizeSaidBy(body: Bytes): number {
  if (body.length < 4) return 1;
  return Math.max(1, new DataView(body.buffer, body.byteOffset + body.length - 4, 4).getUint32(0, true));
}

/** Inflates off the main thread and stops at the limit: a bomb costs no more than an honest body. */
function inflate(body: Bytes, bytesMax: number): Promise<Parsed<Bytes>> {
  return new Promise((resolve) => {
    gunzip(body, { maxOutputLength: bytesMax }, (error: NodeJS.ErrnoException | null, inflated) => {
      if (error === null) resolve({ ok: true, value: bytesOf(inflated) });
      else if (error.code === 'ERR_BUFFER_TOO_LARGE') resolve({ ok: false, fault: TOO_LARGE });
      else resolve({ ok: false, fault: { code: 'ERR_ENCODING', detail: 'the body is not whole gzip' } });
    });
  });
}

/** The bytes of a buffer, which Node backs with an ordinary `ArrayBuffer`, though its type allows another. */
function bytesOf(buffer: Buffer): Bytes {
  return buffer.buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
}
