export { fromBase64, fromBase64Url, toBase64, toBase64Url } from './base64.ts';
export { bytesEqual, concatBytes, toHex, utf8, utf8Text, type Bytes } from './bytes.ts';
export { AppendParser, formatAppend, parseAppend, type Append } from './append.ts';
export {
  formatCheckpoint,
  parseCheckpoint,
  parseCheckpointNote,
  type Checkpoint,
  type CheckpointNote,
} from './checkpoint.ts';
export { cosign, cosignatureTime, verifyCosignature, verifyReceipt, type Cosigned } from './cosignature.ts';
export { derivedEventId, forkEventId } from './derived-id.ts';
export {
  ed25519Signer,
  generateEd25519,
  importEd25519Seed,
  importEd25519Verifier,
  type Ed25519Signer,
  type Ed25519Verifier,
} from './ed25519.ts';
export { ERRORS, type ErrorCode, type ErrorRow, type RetryRule } from './errors.ts';
export {
  ACTION_PATTERN,
  isReservedAction,
  LIBRARY_ACTIONS,
  OUTCOMES,
  TENANT_LOG_ACTIONS,
  type Actor,
  type AuditEvent,
  type ClockReading,
  type Outcome,
  type Seen,
  type Target,
} from './event.ts';
export { assertNever, type Fault, type Parsed } from './fault.ts';
export { LIMITS, type Limits } from './limits.ts';
export {
  deviceIdOf,
  originOf,
  parseAuthority,
  parseDeviceId,
  parseOrigin,
  parseTenantId,
  publicJwk,
  thumbprintOf,
  type Authority,
  type DeviceId,
  type Origin,
  type PublicJwk,
  type TenantId,
} from './names.ts';
export {
  formatNote,
  formatSignatureLine,
  formatVkey,
  noteKey,
  parseNote,
  parseSignatureLines,
  parseVkey,
  SIGNATURE_TYPE,
  signaturesBy,
  signNote,
  verifyNote,
  type Note,
  type NoteKey,
  type NoteSignature,
  type NoteSigner,
  type SignatureType,
} from './note.ts';
export {
  ENROLMENT_NOTE,
  keyNames,
  KEYS_NOTE,
  LEASE_NOTE,
  openStatement,
  PURGE_NOTE,
  REQUEST_NOTE,
  RESTORE_NOTE,
  signStatement,
  SUCCESSION_NOTE,
  SUCCESSION_REASONS,
  type EnrolmentStatement,
  type KeysStatement,
  type LeaseStatement,
  type PurgeStatement,
  type RequestStatement,
  type RestoreStatement,
  type Statement,
  type SuccessionReason,
  type SuccessionStatement,
} from './statements.ts';
export { sha256, useSha256, type Sha256 } from './sha256.ts';
export { parseStrictJson } from './strict-json.ts';
export { formatTlogProof, parseTlogProof, proofIncludes, type TlogProof } from './tlog-proof.ts';
export {
  appendLeaves,
  consistencyProof,
  EMPTY_RANGE,
  EMPTY_ROOT,
  inclusionProof,
  isWellFormedRange,
  leafHash,
  nodeHash,
  rangeHashCount,
  rootOf,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
  type CompactRange,
} from './tree.ts';
