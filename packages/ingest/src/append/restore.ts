import {
  bytesEqual,
  deviceIdOf,
  fromBase64,
  fromBase64Url,
  isWellFormedRange,
  noteKey,
  openStatement,
  originOf,
  parseCheckpointNote,
  RESTORE_NOTE,
  rootOf,
  SIGNATURE_TYPE,
  formatVkey,
  verifyCosignature,
  type Bytes,
  type CompactRange,
  type Fault,
  type Origin,
  type Parsed,
} from '@tachograph/wire';
import type { IngestContext } from '../context.ts';
import { recover } from '../lane/recovery.ts';
import { faultOf } from '../lane/refusal.ts';
import type { LanePorts } from '../lane/ports.ts';
import { findDevice } from '../registry/devices.ts';
import { EMPTY_HEAD, loadHeads, logId, type Head, type LogKey } from '../registry/heads.ts';
import { reportLoss } from '../registry/losses.ts';
import type { Db } from '../registry/registry.ts';
import { settle, type Position } from '../registry/settlement.ts';
import { enqueueEvent, INGEST_ACTOR } from '../tenant-log/outbox.ts';
import type { Addressed } from './request.ts';

/** What a device sends whose receipt is ahead of ingest. */
export type RestoreBody = {
  readonly publicKey: { readonly x: string };
  /** With a cosignature that was issued here. */
  readonly checkpoint: string;
  readonly range: readonly string[];
  /** A `tachograph restore/v1` note by the device. */
  readonly proof: string;
};

/** A state of a log that ingest had cosigned, proved by the device that holds its key. */
export type Restored = LogKey & {
  readonly origin: Origin;
  readonly publicKey: Bytes;
  readonly range: CompactRange;
  readonly cosignedSeconds: number;
};

/**
 * Verifies that the receipt was cosigned here, that the range is its state, and that the device asks.
 * @returns ERR_RESTORE, ERR_SIGNATURE, ERR_CHECKPOINT, ERR_STATEMENT and the other codes of malformed notes
 */
export async function verifyRestore(
  { config, keys }: Pick<IngestContext, 'config' | 'keys'>,
  { tenant, device }: Addressed,
  body: RestoreBody,
): Promise<Parsed<Restored>> {
  const publicKey = fromBase64Url(body.publicKey.x);
  if (publicKey?.length !== 32 || deviceIdOf(publicKey) !== device) {
    return cannot('the public key is not the one that the device is named for');
  }
  const origin = originOf(config.authority, tenant, device);
  const checkpoint = parseCheckpointNote(body.checkpoint);
  if (!checkpoint.ok) return checkpoint;
  const { size, root, note } = checkpoint.value;
  if (checkpoint.value.origin !== origin) return cannot('the receipt is of another log');
  const cosigned = await verifyCosignature(checkpoint.value, note.signatures, keys.cosignerKeys);
  if (cosigned === null) return cannot('the checkpoint was not cosigned here');
  const hashes = body.range.map(fromBase64);
  const range = { size, hashes: hashes.filter((hash) => hash !== null) };
  if (hashes.includes(null) || !isWellFormedRange(range) || !bytesEqual(rootOf(range), root)) {
    return cannot('the range does not have the root of the receipt');
  }
  const deviceKey = noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey);
  const proof = await openStatement(RESTORE_NOTE, body.proof, [deviceKey]);
  if (!proof.ok) return proof;
  const said = proof.value;
  if (said.origin !== origin || said.size !== size || !bytesEqual(said.root, root)) {
    return cannot('the proof is about another state');
  }
  return {
    ok: true,
    value: { tenant, device, origin, publicKey, range, cosignedSeconds: cosigned.timestamp },
  };
}

export type RestoreOutcome =
  /** `lost` is what ingest had cosigned and does not have any more; `null` where nothing is missing. */
  | { readonly kind: 'adopted'; readonly lost: { readonly from: number; readonly to: number } | null }
  /** Ingest has another log of this size or beyond. */
  | { readonly kind: 'contradicted' }
  /** The log cannot be read now; the same request may be sent again. */
  | { readonly kind: 'unread'; readonly fault: Fault };

/**
 * Adopts a proved state where ingest is behind it, and says in the tenant's log what was lost. The partition is
 * read to its end first: perhaps only the registry is behind.
 */
export async function adoptRestored(
  ports: LanePorts,
  partition: number,
  restored: Restored,
): Promise<RestoreOutcome> {
  for (;;) {
    const position = await positionOf(ports, partition);
    if ('fault' in position) return position;
    const heads = await loadHeads(ports.registry.db, [restored]);
    const head = heads.get(logId(restored)) ?? EMPTY_HEAD;
    const { range } = restored;
    const known = await findDevice(ports.registry.db, restored);
    if (head.range.size === range.size && !bytesEqual(rootOf(head.range), rootOf(range))) {
      return { kind: 'contradicted' };
    }
    const isBehind = head.range.size < range.size;
    if (!isBehind && known !== null) return { kind: 'adopted', lost: null };
    const lost = isBehind ? { from: head.range.size, to: range.size } : null;
    const { cosignedSeconds } = restored;
    const adopted: Head = {
      range,
      checkpoint: null,
      cosignedSeconds,
      carried: head.carried,
      adoptedSeconds: cosignedSeconds,
    };
    const settled = await settle(
      ports.registry,
      {
        partition,
        from: position,
        to: position.offset,
        mark: position.mark,
        moves: isBehind ? [{ ...restored, head: adopted, anchor: null, endOffset: null }] : [],
        windows: [],
        issued: isBehind ? [{ ...restored, size: range.size, timeSeconds: cosignedSeconds }] : [],
        rejections: [],
        sightings: [],
        forks: [],
        confirmations: [],
        at: ports.clock(),
      },
      async (trx) => {
        if (known === null) await adoptDevice(trx, restored, ports.clock());
        if (lost !== null) await reportLoss(trx, { ...restored, ...lost }, ports.clock());
      },
    );
    // Another node moved a head of this partition meanwhile: look again.
    if (settled !== null) return { kind: 'adopted', lost };
  }
}

/** The position once the partition has been read to its end, which has its deadlines, and nobody stops it. */
async function positionOf(
  ports: LanePorts,
  partition: number,
): Promise<Position | Extract<RestoreOutcome, { kind: 'unread' }>> {
  try {
    return await recover(ports, partition, new AbortController().signal);
  } catch (error) {
    ports.logger.error({ err: error, partition }, 'restore.log_unread');
    return { kind: 'unread', fault: faultOf(error) };
  }
}

async function adoptDevice(
  trx: Db,
  { tenant, device, origin, publicKey }: Restored,
  at: number,
): Promise<void> {
  await trx
    .insertInto('devices')
    .values({
      tenant,
      device,
      public_key: publicKey,
      installation: device,
      installation_label: null,
      platform: null,
      subject: null,
      status: 'quarantined',
      lease_profile: null,
      predecessor: null,
      enrolled_at: at,
      revoked_at: null,
      revocation_reason: null,
    })
    .execute();
  await enqueueEvent(trx, {
    tenant,
    action: 'device.restored',
    actor: INGEST_ACTOR,
    targets: [{ type: 'device', id: device }],
    data: { origin, vkey: formatVkey(noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey)) },
    at,
  });
}

function cannot(detail: string): { ok: false; fault: { code: 'ERR_RESTORE'; detail: string } } {
  return { ok: false, fault: { code: 'ERR_RESTORE', detail } };
}
