import { formatEdge, HEADER, openEmbeddedLog, partitionOf } from '@tachograph/event-log';
import {
  appendLeaves,
  cosign,
  deviceIdOf,
  ed25519Signer,
  EMPTY_RANGE,
  formatCheckpoint,
  generateEd25519,
  leafHash,
  noteKey,
  originOf,
  rootOf,
  SIGNATURE_TYPE,
  signNote,
  toBase64,
  toHex,
  utf8,
} from '@tachograph/wire';

const AUTHORITY = 'localhost';
const TENANT = 'demo';
const RECEIVED = '2026-11-22T10:00:05.000Z';
/** Events in one write of the log: about what a busy lane gathers. */
const WRITE_EVENTS = 500;

/**
 * Fills an embedded log with `events` events of `devices` devices, `eventsEach` to an append, as ingest writes
 * them: real leaves, trees, device signatures, cosigned receipts and headers. The devices are of `tenants` in turn.
 */
export async function fillLog(file, { events, eventsEach, devices, tenants = 1 }) {
  const log = await openEmbeddedLog({ file });
  const { partitions } = await log.describe();
  const cosigner = await newSigner(`${AUTHORITY}/ingest`, SIGNATURE_TYPE.cosignature);
  const all = [];
  for (let i = 0; i < devices; i++)
    all.push(await newDevice(tenants === 1 ? TENANT : `tenant-${i % tenants}`));
  const waiting = Array.from({ length: partitions }, () => []);
  const write = async (partition) => {
    const outcome = await log.append(partition, waiting[partition], new AbortController().signal);
    if (outcome.kind !== 'appended') throw new Error(`not appended: ${outcome.kind}`);
    waiting[partition] = [];
  };
  for (let done = 0, turn = 0; done < events; done += eventsEach, turn++) {
    const device = all[turn % devices];
    const partition = partitionOf(device.key, partitions);
    waiting[partition].push(...(await nextRecords(device, Math.min(eventsEach, events - done), cosigner)));
    if (waiting[partition].length >= WRITE_EVENTS) await write(partition);
  }
  for (let p = 0; p < partitions; p++) if (waiting[p].length > 0) await write(p);
  await log.close();
}

async function newSigner(name, type) {
  const { privateKey, publicKey } = await generateEd25519(false);
  return { key: noteKey(name, type, publicKey), sign: ed25519Signer(privateKey) };
}

async function newDevice(tenant) {
  const { privateKey, publicKey } = await generateEd25519(false);
  const id = deviceIdOf(publicKey);
  const origin = originOf(AUTHORITY, tenant, id);
  const signer = { key: noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey), sign: ed25519Signer(privateKey) };
  return { id, origin, signer, key: `${tenant}/${id}`, tenant, range: EMPTY_RANGE };
}

async function nextRecords(device, count, cosigner) {
  const { id, origin, signer, key, tenant, range: edge } = device;
  const leaves = Array.from({ length: count }, (_, i) => leaf(edge.size + i));
  const hashes = leaves.map(leafHash);
  device.range = appendLeaves(edge, hashes);
  const checkpoint = await signNote(checkpointOf(origin, device.range), signer);
  const records = leaves.map((value, i) => ({
    key,
    value,
    headers: {
      [HEADER.specVersion]: '1.0',
      [HEADER.id]: `${id}/${edge.size + i}/${toHex(hashes[i].subarray(0, 6))}`,
      [HEADER.source]: origin,
      [HEADER.tenant]: tenant,
      [HEADER.sequence]: String(edge.size + i).padStart(16, '0'),
      [HEADER.recordedTime]: RECEIVED,
      [HEADER.deviceStatus]: 'enrolled',
      [HEADER.contentType]: 'application/json',
      [HEADER.type]: 'item.reveal',
      [HEADER.time]: '2026-11-22T10:00:00.123Z',
      [HEADER.latest]: RECEIVED,
      [HEADER.estimate]: 'monotonic',
      [HEADER.lateness]: '4877',
    },
  }));
  const { headers: first } = records[0];
  first[HEADER.edge] = formatEdge(edge);
  first[HEADER.pending] = String(count);
  if (edge.size > 0) {
    const size = { origin, size: edge.size, root: rootOf(edge) };
    const line = await cosign(size, 1_795_341_600, cosigner);
    first[HEADER.receipt] = toBase64(utf8(`${formatCheckpoint(size)}\n${line}`));
  }
  records[records.length - 1].headers[HEADER.checkpoint] = toBase64(utf8(checkpoint));
  return records;
}

function checkpointOf(origin, range) {
  return formatCheckpoint({ origin, size: range.size, root: rootOf(range) });
}

/** One event of about 385 bytes. */
function leaf(n) {
  return utf8(
    JSON.stringify({
      id: `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`,
      time: '2026-11-22T10:00:00.123Z',
      action: 'item.reveal',
      actor: { id: 'u_7', email: 'ana@acme.example', name: 'Ana Example' },
      targets: [{ type: 'item', id: 'i_42', name: 'prod-db' }],
      outcome: 'success',
      online: true,
      clock: { boot: 'b3f1c0de', ms: n + 0.5 },
      session: 's_9',
      app: { name: 'vault', version: '4.2.0' },
      data: { vault: 'v_1', usedVersion: 3 },
    }),
  );
}
