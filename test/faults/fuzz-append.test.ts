import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ERRORS, parseAppend, toBase64, type Bytes } from '@tachograph/wire';
import * as fc from 'fast-check';
import { enrolDevice, post, sendLeaves, testLeaf, type Answer, type TestDevice } from '../support/device.ts';
import { feedOf } from '../support/feed.ts';
import { expectProblem } from '../support/problem.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const RUNS = 1200;
const MS_MAX = 10_000;
/** Every so many hostile bodies the honest device appends. */
const HONEST_EVERY = 50;

/** One change of a body; positions are shares of its length, so that they fit whatever it is. */
type Edit =
  | { readonly kind: 'flip'; readonly at: number; readonly mask: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'remove'; readonly at: number; readonly bytes: number }
  | { readonly kind: 'insert'; readonly at: number; readonly what: Bytes }
  | { readonly kind: 'repeat'; readonly at: number; readonly bytes: number; readonly times: number }
  | { readonly kind: 'swap-lines'; readonly at: number; readonly to: number };

/** Even over the whole body: a double would be drawn from near zero most of the time. */
const at = fc.integer({ min: 0, max: 9999 }).map((share) => share / 10_000);
/** What parsers trip over, and bytes of any kind. */
const snippet = fc.oneof(
  fc.constantFrom(
    '\n',
    '\n\n',
    'old 0\n',
    '\u2014 ',
    ' ',
    '\r\n',
    '\0',
    '{"__proto__":{}}\n',
    '9007199254740993',
    '-1',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at, mask: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut'), at }),
  fc.record({ kind: fc.constant('remove'), at, bytes: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant('insert'),
    at,
    what: snippet.map((text) => new Uint8Array(Buffer.from(text))),
  }),
  fc.record({
    kind: fc.constant('repeat'),
    at,
    bytes: fc.integer({ min: 1, max: 200 }),
    times: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({ kind: fc.constant('swap-lines'), at, to: at }),
);

const hostile = fc.record({
  withNote: fc.boolean(),
  leaves: fc.integer({ min: 0, max: 4 }),
  /** Before compression, or on the compressed bytes. */
  zip: fc.constantFrom('never', 'after', 'before'),
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
});

function apply(body: Bytes, change: Edit): Bytes {
  const start = Math.floor(change.at * body.length);
  const [head, tail] = [body.slice(0, start), body.slice(start)];
  switch (change.kind) {
    case 'flip':
      return body.map((byte, i) => (i === start ? byte ^ change.mask : byte));
    case 'cut':
      return head;
    case 'remove':
      return joined(head, tail.slice(change.bytes));
    case 'insert':
      return joined(head, change.what, tail);
    case 'repeat':
      return joined(head, ...Array.from({ length: change.times }, () => tail.slice(0, change.bytes)), tail);
    default: {
      const lines = Buffer.from(body).toString('latin1').split('\n');
      const [a, b] = [change.at, change.to].map((share) => Math.floor(share * lines.length)) as [
        number,
        number,
      ];
      [lines[a], lines[b]] = [lines[b]!, lines[a]!];
      return new Uint8Array(Buffer.from(lines.join('\n'), 'latin1'));
    }
  }
}

function joined(...parts: Bytes[]): Bytes {
  return new Uint8Array(Buffer.concat(parts));
}

let dir: Awaited<ReturnType<typeof tempDir>>;
let server: Served;
let honest: TestDevice;
beforeAll(async () => {
  dir = await tempDir();
  server = await serve({ dataDir: dir.path });
  honest = await enrolDevice(server, 'demo');
  await appendHonestly();
});
afterAll(async () => {
  await server?.stop();
  await dir?.remove();
});

async function appendHonestly(): Promise<void> {
  honest.record(1);
  const answer = await sendLeaves(server, honest, honest.leaves.length - 1);
  expect({ status: answer.status, rejected: answer.body['rejected'] }).toEqual({ status: 200, rejected: [] });
}

type Made = typeof hostile extends fc.Arbitrary<infer T> ? T : never;

/** The honest device's next append or check-in, signed by its key, and what was made of it. */
async function hostileBody({ withNote, leaves, zip, edits }: Made) {
  const device = honest.clone();
  const old = device.leaves.length;
  device.leaves.push(...Array.from({ length: leaves }, () => testLeaf()));
  const note = withNote ? { nonce: 'n', pendingCount: leaves } : undefined;
  const valid = await device.append(old, old + leaves, note);
  const whole = zip === 'before' ? new Uint8Array(gzipSync(valid)) : valid;
  const changed = edits.reduce(apply, whole);
  return { device, valid, body: zip === 'after' ? new Uint8Array(gzipSync(changed)) : changed };
}

/** The parts of a body that count, where it has any. */
function meaningOf(body: Bytes): unknown {
  const isZipped = body[0] === 0x1f && body[1] === 0x8b;
  const parsed = parseAppend(isZipped ? new Uint8Array(gunzipSync(body)) : body);
  if (!parsed.ok) return parsed.fault;
  const { old, checkpoint, leaves, requestNote } = parsed.value;
  return { old, text: checkpoint.note.text, leaves: leaves.map(toBase64), requestNote };
}

describe('an append that was changed at random after it was signed', () => {
  it('gets a documented code below 500 or is what was signed after all, and the honest log goes on (INV-11, INV-14, INV-19)', async () => {
    const codes = new Map<string, number>();
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(hostile, async (made) => {
        const { device, valid, body } = await hostileBody(made);
        const answer = await post(`${server.url}${honest.path}`, body);
        const code = answer.status === 200 ? 'harmless' : expectRefused(answer);
        if (answer.status === 200) {
          // Some edits change nothing: two equal lines changed places, or a byte of gzip that nobody reads.
          expect(meaningOf(body)).toEqual(meaningOf(valid));
          honest = device;
        }
        codes.set(code, (codes.get(code) ?? 0) + 1);
        if (++sent % HONEST_EVERY === 0) await appendHonestly();
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: MS_MAX, endOnFailure: true },
    );
    expect(codes.get('harmless') ?? 0).toBeLessThan(sent / 10);
    // A fuzzer that always fails at the first byte would prove little.
    expect([...codes.keys()].sort()).toEqual(
      expect.arrayContaining(['ERR_APPEND', 'ERR_ENCODING', 'ERR_LEAF_COUNT']),
    );
    expect(codes.size).toBeGreaterThan(6);
    expect(server.output()).not.toMatch(/"level":"(error|fatal)"/);
    const feed = await feedOf(server.dataDir, honest.origin, honest.leaves.length);
    expect(feed.map(({ sequence }) => Number(sequence))).toEqual(honest.leaves.map((_, i) => i));
  }, 60_000);
});

function expectRefused(answer: Answer): string {
  const code = String(answer.body['code']);
  if (!Object.hasOwn(ERRORS, code)) throw new Error(`no documented code: ${code}`);
  expectProblem(answer, answer.headers.get('content-type'), code as keyof typeof ERRORS);
  expect(answer.status).toBeLessThan(500);
  return code;
}
