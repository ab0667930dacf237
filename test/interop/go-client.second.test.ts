import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin, createEnrolmentToken } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { readFeed, readFeedLines, type FeedLine } from '../support/feed.ts';
import { runGo } from '../support/run-go.ts';
import { serve, type Served } from '../support/serve.ts';
import { tempDir } from '../support/temp-dir.ts';

const CLIENT = join(import.meta.dirname, 'go-client');
const TENANT = 'acme';
const GO_TIMEOUT_MS = 120_000;
const LEASE = { blockAfterSeconds: 72 * 3600, wipeAfterSeconds: 14 * 24 * 3600, scopes: '*' };

/** What one step of the client printed. */
type Step = { readonly [member: string]: unknown };
type Log = { readonly origin: string; readonly leaves: readonly string[] };
/** One leaf in the feed: where it stands in its log, and its bytes. */
type FeedLeaf = { readonly index: number; readonly leaf: string };

let dir: Awaited<ReturnType<typeof tempDir>>;
let dataDir: string;
let server: Served;
let steps: Map<string, Step>;

/** Runs the client; what it finds wrong is a rejection that names the step and the promise that was not kept. */
async function runClient(command: 'journey' | 'restore', token = ''): Promise<Map<string, Step>> {
  const printed = await runGo(CLIENT, [command], {
    SERVER_URL: server.url,
    TENANT,
    ADMIN_TOKEN: server.adminToken,
    ENROLMENT_TOKEN: token,
    STATE_FILE: join(dir.path, 'state.json'),
  });
  const lines = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Step);
  return new Map(lines.map(({ step, ...result }) => [String(step), result]));
}

/** What the client holds: the leaves of each of its logs, as it signed them. */
function logsOf(from: ReadonlyMap<string, Step>): readonly Log[] {
  return (from.get('logs') as { logs: readonly Log[] }).logs;
}

/** The exact bytes of the leaf in a line of the feed, as text: `data` is its last member. */
function leafOf(line: string): string {
  // An entry that was rejected as content is there too, as base64.
  const { data_base64: encoded } = JSON.parse(line) as { data_base64?: string };
  if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString();
  const marker = ',"data":';
  return line.slice(line.indexOf(marker) + marker.length, -1);
}

/** The leaves of one log as the feed has them, in its order. */
async function feedOf(origin: string): Promise<FeedLeaf[]> {
  const lines = await readFeedLines(dataDir);
  return lines.flatMap((line) => {
    const { source, sequence } = JSON.parse(line) as FeedLine;
    return source === origin ? [{ index: Number(sequence), leaf: leafOf(line) }] : [];
  });
}

/** What the feed should have of a log. */
function expectedOf({ leaves }: Log): FeedLeaf[] {
  return leaves.map((leaf, index) => ({ index, leaf }));
}

async function feedHas(origin: string, leaves: number): Promise<FeedLeaf[]> {
  return eventually(`${leaves} leaves of ${origin} in the feed`, async () => {
    const found = await feedOf(origin);
    return found.length >= leaves ? found : null;
  });
}

/** What the tenant's own log says of one kind, once it says it. */
async function feedOfType(wanted: string): Promise<FeedLine[]> {
  return eventually(`${wanted} in the feed`, async () => {
    const found = (await readFeed(dataDir)).filter(({ type }) => type === wanted);
    return found.length > 0 ? found : null;
  });
}

/** Starts the server again without what some of its databases held; the keys are there still. */
async function restartWithout(...databases: readonly string[]): Promise<void> {
  await server.stop();
  for (const file of databases.flatMap((name) => [name, `${name}-wal`, `${name}-shm`])) {
    await rm(join(dataDir, file), { force: true });
  }
  server = await serve({ dataDir });
  await admin(server, 'POST', '/tenants', { id: TENANT, name: 'Acme' });
}

describe('a client that was written from docs/PROTOCOL.md alone', () => {
  beforeAll(async () => {
    dir = await tempDir();
    dataDir = join(dir.path, 'data');
    server = await serve({ dataDir });
    await admin(server, 'POST', '/tenants', { id: TENANT, name: 'Acme' });
    steps = await runClient('journey', await createEnrolmentToken(server, TENANT));
  }, GO_TIMEOUT_MS);
  afterAll(async () => {
    await server?.stop();
    await dir?.remove();
  });

  it('verifies the keys note and enrols, and enrols again with nothing but its key', () => {
    expect(steps.get('keys')).toMatchObject({ cosigners: 1, leaseKeys: 1 });
    expect(steps.get('enrol')).toMatchObject({ status: 'enrolled', again: 'enrolled' });
  });

  it('gets receipts and leases that verify: plain, in gzip, and by a check-in with and without leaves before it', () => {
    expect(steps.get('check-in-empty')).toEqual({ receipt: 0, lease: LEASE });
    expect(steps.get('append')).toEqual({
      receipt: 3,
      rejected: 0,
      directives: 0,
      lease: LEASE,
      nextCheckInSeconds: 300,
    });
    expect(steps.get('append-gzip')).toEqual({ receipt: 6, lease: false, rejected: 0 });
    expect(steps.get('check-in')).toEqual({ receipt: 6, lease: LEASE });
    expect(steps.get('served')).toEqual({ size: 6 });
  });

  it('takes the receipt of a lost answer from the 409, and sends again after a damaged body got 422', () => {
    expect(steps.get('lost-answer')).toEqual({ status: 409, outcome: 'receipt', receipt: 8, lease: LEASE });
    expect(steps.get('damaged')).toEqual({ status: 422, outcome: 'receipt', receipt: 10 });
  });

  it('is told which leaves were rejected as content, by a retry too', () => {
    const rejected = [
      { index: 10, code: 'ERR_LEAF_DUPLICATE_KEY' },
      { index: 12, code: 'ERR_LEAF_JSON' },
      { index: 13, code: 'ERR_LEAF_EMPTY' },
    ];
    expect(steps.get('rejected')).toEqual({ receipt: 14, rejected, again: rejected });
  });

  it('is refused by the codes and in the order that the page gives', () => {
    expect(steps.get('refused')).toEqual({
      truncated: 'ERR_APPEND',
      unknown: 'ERR_UNKNOWN_DEVICE',
      unknownTenant: 'ERR_UNKNOWN_TENANT',
      forged: 'ERR_SIGNATURE',
      otherLog: 'ERR_ORIGIN_MISMATCH',
      untyped: 'ERR_MEDIA_TYPE',
      malformedRequest: 'ERR_NUMBER',
      unsignedRequest: 'ERR_SIGNATURE',
      unknownToken: 'ERR_TOKEN_UNKNOWN',
      unboundCredential: 'ERR_CREDENTIAL_MISMATCH',
    });
  });

  it('finds that it was forked or rolled back, and goes on in a successor that waits for approval', async () => {
    expect(steps.get('fork')).toMatchObject({ status: 409, outcome: 'fork' });
    expect(steps.get('equal-size')).toEqual({ status: 422, outcome: 'fork' });
    expect(steps.get('rollback')).toEqual({ status: 409, outcome: 'rollback' });
    expect(steps.get('successor')).toEqual({
      status: 'quarantined',
      withoutLease: true,
      rejected: 0,
      lease: LEASE,
      carriedFrom: 14,
    });
    const { id } = steps.get('fork') as { id: string };
    const reported = await feedOfType('log.forked');
    expect(reported.map(({ data }) => data?.id)).toEqual([id]);
  });

  it('uploads after its revocation, without a lease and with a signed purge directive', () => {
    expect(steps.get('revoked')).toEqual({
      receipt: 7,
      lease: false,
      purges: [{ scopes: 'v_1', reason: 'offboarding' }],
    });
  });

  it('has its events in the feed in order and byte-identical, the rejected ones too; a carried duplicate is left out', async () => {
    const [main, successor] = logsOf(steps);
    expect(await feedHas(main!.origin, main!.leaves.length)).toEqual(expectedOf(main!));
    // The first carried leaf, index 1 of the successor, stands in the predecessor's log already.
    const wanted = expectedOf(successor!).filter(({ index }) => index !== 1);
    expect(await feedHas(successor!.origin, wanted.length)).toEqual(wanted);
  });

  it(
    'brings its log back after the registry was lost, and goes on behind its last receipt',
    async () => {
      await restartWithout('registry.sqlite');
      const after = await runClient('restore');
      expect(after.get('lost')).toEqual({ code: 'ERR_UNKNOWN_DEVICE' });
      expect(after.get('restore')).toEqual({ status: 'quarantined', size: 17, held: 17 });
      expect(after.get('go-on')).toEqual({ receipt: 19, lease: false });
      const [main] = logsOf(after);
      const wanted = expectedOf(main!);
      expect(await feedHas(main!.origin, wanted.length)).toEqual(wanted);
    },
    GO_TIMEOUT_MS,
  );

  it(
    'tells ingest what it has lost, when registry and log are gone and its log was enrolled as a new one',
    async () => {
      await restartWithout('registry.sqlite', 'log.sqlite');
      const after = await runClient('restore', await createEnrolmentToken(server, TENANT));
      expect(after.get('lost')).toEqual({ outcome: 'lost' });
      expect(after.get('restore')).toEqual({ status: 'enrolled', size: 19, held: 19 });
      expect(after.get('go-on')).toEqual({ receipt: 21, lease: true });
      // What was delivered before the loss stands in the feed still; what is new comes behind it.
      const [main] = logsOf(after);
      expect(await feedHas(main!.origin, main!.leaves.length)).toEqual(expectedOf(main!));
      const losses = await feedOfType('server.lost');
      expect(losses.map(({ data }) => data?.data)).toEqual([
        { origin: main!.origin, from: 0, to: 19, root: expect.any(String) },
      ]);
    },
    GO_TIMEOUT_MS,
  );
});
