import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatEdge, HEADER, partitionOf, type StoredRecord } from '@tachograph/event-log';
import {
  appendLeaves,
  ed25519Signer,
  EMPTY_RANGE,
  formatCheckpoint,
  fromBase64,
  generateEd25519,
  leafHash,
  noteKey,
  parseCheckpointNote,
  parseNote,
  parseVkey,
  PURGE_NOTE,
  rootOf,
  SIGNATURE_TYPE,
  signNote,
  toBase64,
  utf8,
  utf8Text,
  verifyNote,
  type Origin,
} from '@tachograph/wire';
import { Deployment, need, record, SUBJECT, type Victim } from './hostile-road.ts';

const DEADLINE_MS = 10_000;

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.start();
});
afterEach(() => deployment.close());

/** The records of a device's log as they stand in the ordered log. */
async function recordsOf({ origin }: Victim): Promise<StoredRecord[]> {
  return (await deployment.node.records()).filter(({ headers }) => headers[HEADER.source] === origin);
}

/** Writes one more entry into the log of a device, which follows and which no device has signed. */
async function writeEntry(victim: Victim, text: string, type = 'item.reveal'): Promise<void> {
  const records = await recordsOf(victim);
  const { key, headers } = records.at(-1)!;
  const edge = appendLeaves(
    EMPTY_RANGE,
    records.map(({ value }) => leafHash(value)),
  );
  const value = utf8(text);
  const after = appendLeaves(edge, [leafHash(value)]);
  const origin = victim.origin as Origin;
  const { privateKey, publicKey } = await generateEd25519(true);
  const signer = { key: noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey), sign: ed25519Signer(privateKey) };
  const checkpoint = await signNote(
    formatCheckpoint({ origin, size: after.size, root: rootOf(after) }),
    signer,
  );
  const forged = {
    key,
    value,
    headers: {
      ...headers,
      [HEADER.type]: type,
      [HEADER.sequence]: String(edge.size).padStart(16, '0'),
      [HEADER.edge]: formatEdge(edge),
      [HEADER.checkpoint]: toBase64(utf8(checkpoint)),
    },
  };
  const { log } = deployment.node;
  const partition = partitionOf(key, (await log.describe()).partitions);
  const outcome = await log.append(partition, [forged], AbortSignal.timeout(DEADLINE_MS));
  if (outcome.kind !== 'appended') throw new Error(outcome.kind);
}

describe('whoever may write to the ordered log', () => {
  it('can put an entry into a device’s log, which readers deliver: a limit; its device has not signed it, and goes on in a successor', async () => {
    const victim = await deployment.victim();
    const { audit, origin, device } = victim;
    await record(audit, 2);
    await audit.flush();
    const [first] = await recordsOf(victim);
    await writeEntry(victim, utf8Text(first!.value)!.replace('v_1-0', 'v_9'));
    await record(audit, 1);
    await audit.flush();

    const entries = await deployment.node.delivered(origin);
    expect(entries).toHaveLength(3);
    const { vkey } = (await deployment.node.tenantEvents()).find(
      ({ action, data }) => action === 'device.enrolled' && (data as { origin?: string }).origin === origin,
    )!['data'] as { vkey: string };
    const key = need(parseVkey(vkey));
    const signed = entries
      .map(({ headers }) => headers[HEADER.checkpoint])
      .filter((one) => one !== undefined);
    const notes = signed.map((one) => need(parseCheckpointNote(utf8Text(fromBase64(one)!)!)).note);
    const verified = await Promise.all(notes.map((note) => verifyNote(note, [key])));
    expect(verified.at(-1)).toBe(false);
    expect(verified.slice(0, -1)).not.toContain(false);

    expect(audit.status().origin).not.toBe(origin);
    const { devices } = (await deployment.admin('GET', '/devices')) as { devices: Record<string, unknown>[] };
    expect(devices).toContainEqual(expect.objectContaining({ status: 'quarantined', installation: device }));
    await audit.close();
  });

  it('can say for a device that its purge was carried out: a limit, though the device itself still holds its cache', async () => {
    const victim = await deployment.victim();
    const { audit, app, device } = victim;
    await record(audit, 1);
    await audit.flush();
    const order = { reason: 'left the company', purge: ['*'] };
    const { directive } = await deployment.admin('POST', `/devices/${device}/revoke`, order);
    const event = JSON.parse(utf8Text((await recordsOf(victim))[0]!.value)!) as Record<string, unknown>;
    const { id } = need(PURGE_NOTE.parse(need(parseNote(String(directive))).text));
    const said = { ...event, action: 'cache.purged', data: { directive: id, scopes: ['*'] } };
    await writeEntry(victim, JSON.stringify(said), 'cache.purged');
    await deployment.restart();
    await deployment.node.ingest.ready();
    expect(await deployment.admin('GET', `/subjects/${SUBJECT}/offboarding`)).toMatchObject({
      devices: [{ device, end: 'purged' }],
    });
    expect(app.isEmpty).toBe(false);
    await audit.close();
  });
});
