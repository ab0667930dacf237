import type { Readable } from 'node:stream';
import {
  AppendParser,
  deviceIdOf,
  formatNote,
  originOf,
  parseNote,
  REQUEST_NOTE,
  type Append,
  type Authority,
  type DeviceId,
  type Fault,
  type Note,
  type Origin,
  type Parsed,
  type RequestStatement,
  type TenantId,
} from '@tachograph/wire';
import type { Clock, IngestKeys } from '../context.ts';
import { readLeaf } from '../core/leaf-content.ts';
import { readAppendBody } from '../http/append-body.ts';
import type { BodyClaim } from '../http/body-budget.ts';
import type { AppendJob } from '../lane/job.ts';
import { findDevice, tenantExists, type KnownDevice } from '../registry/devices.ts';
import type { Db } from '../registry/registry.ts';
import type { DeviceVerifier } from './device-verifier.ts';

/** Which log a request is for. */
export type Addressed = { readonly tenant: TenantId; readonly device: DeviceId };

/** A request note whose form is right; its signature is not verified yet. */
type SentRequest = { readonly note: Note; readonly statement: RequestStatement };

/** An append that is well-formed and for this log. */
export type SentAppend = {
  readonly origin: Origin;
  readonly append: Append;
  readonly request: SentRequest | null;
  readonly receivedAt: number;
};

/**
 * Reads the body of an append: too large is 413, malformed 400, no room for it 503.
 * @throws where the connection ends before the body does
 */
export async function receiveAppend(
  authority: Authority,
  { tenant, device }: Addressed,
  body: Readable,
  claim: BodyClaim,
  clock: Clock,
): Promise<Parsed<SentAppend>> {
  const parser = new AppendParser();
  const read = await readAppendBody(body, (chunk) => parser.push(chunk), claim);
  const parsed = read.ok ? parser.end() : read;
  if (!parsed.ok) return parsed;
  const append = parsed.value;
  const origin = originOf(authority, tenant, device);
  if (append.checkpoint.origin !== origin)
    return fault('ERR_ORIGIN_MISMATCH', 'the checkpoint is of another log');
  const receivedAt = clock();
  if (append.requestNote === null) return { ok: true, value: { origin, append, request: null, receivedAt } };
  const request = readRequestNote(append.requestNote);
  if (!request.ok) return request;
  const { statement } = request.value;
  if (statement.origin !== origin) return fault('ERR_ORIGIN_MISMATCH', 'the request note is of another log');
  if (statement.size !== append.checkpoint.size) {
    return fault('ERR_STATEMENT', 'the request note and the checkpoint differ in size', 'size');
  }
  return { ok: true, value: { origin, append, request: request.value, receivedAt } };
}

/** The device, or 404. */
export async function findAddressed(db: Db, log: Addressed): Promise<Parsed<KnownDevice>> {
  const device = await findDevice(db, log);
  if (device !== null) return { ok: true, value: device };
  return (await tenantExists(db, log.tenant))
    ? fault('ERR_UNKNOWN_DEVICE', 'this device is not enrolled here')
    : fault('ERR_UNKNOWN_TENANT', 'there is no tenant of this name');
}

/**
 * Verifies the signatures of an append, reads its leaves, and makes the job that a lane takes.
 * @returns ERR_SIGNATURE, ERR_DEVICE_PENDING
 */
export async function admitAppend(
  verifier: DeviceVerifier,
  keys: IngestKeys,
  device: KnownDevice,
  { origin, append, request, receivedAt }: SentAppend,
  traceparent: string | null,
): Promise<Parsed<AppendJob>> {
  const { checkpoint, old } = append;
  const signature = await verifier.verify(origin, device.publicKey, checkpoint.note);
  if (signature === null) return fault('ERR_SIGNATURE', 'the checkpoint is not signed by its device');
  if (request !== null && (await verifier.verify(origin, device.publicKey, request.note)) === null) {
    return fault('ERR_SIGNATURE', 'the request note is not signed by its device');
  }
  if (device.status === 'pending_approval') {
    return fault('ERR_DEVICE_PENDING', 'an administrator has not approved this device yet');
  }
  const ofTenantLog = device.device === deviceIdOf(keys.log.key.publicKey);
  const leaves = append.leaves.map((leaf) => readLeaf(leaf, ofTenantLog));
  const statement = request?.statement ?? null;
  const clock = statement === null ? null : { ...statement, wallAt: statement.wallClock, receivedAt };
  const { tenant } = device;
  return {
    ok: true,
    value: {
      predecessor: device.predecessor,
      sighting:
        statement === null || clock === null
          ? null
          : {
              tenant,
              device: device.device,
              clock,
              pendingCount: statement.pendingCount,
              oldestPendingAt: statement.oldestPending,
            },
      source: {
        tenant,
        device: device.device,
        installation: device.installation,
        origin,
        claim: {
          old,
          size: checkpoint.size,
          root: checkpoint.root,
          leafHashes: leaves.map(({ hash }) => hash),
        },
        leaves,
        // Other signatures on the note are nobody's here, and could make every record heavier.
        checkpoint: formatNote({ text: checkpoint.note.text, signatures: [signature] }),
        deviceStatus: device.status,
        revokedAt: device.revokedAt,
        receivedAt,
        sender: clock ?? device.clock,
        pendingCount: statement?.pendingCount ?? null,
        oldestPendingAt: statement?.oldestPending ?? null,
        traceparent,
      },
    },
  };
}

function readRequestNote(source: string): Parsed<SentRequest> {
  const note = parseNote(source);
  if (!note.ok) return note;
  const statement = REQUEST_NOTE.parse(note.value.text);
  return statement.ok ? { ok: true, value: { note: note.value, statement: statement.value } } : statement;
}

function fault(code: Fault['code'], detail: string, field?: string): { ok: false; fault: Fault } {
  return { ok: false, fault: { code, detail, ...(field === undefined ? {} : { field }) } };
}
