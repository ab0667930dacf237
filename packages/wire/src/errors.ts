/** Who tries again, and when. */
export type RetryRule =
  /** Nobody: the same request gets the same answer. */
  | 'never'
  /** The sender, after the answer has changed its state (a new base, a smaller batch, an approval). */
  | 'after-change'
  /** The sender, by itself, after a wait with full jitter. */
  | 'later';

export type ErrorRow = {
  /** HTTP status; 0 for what never crosses HTTP. */
  readonly status: number;
  readonly retry: RetryRule;
  readonly title: string;
  /** What it means and what to do, in a sentence or two. */
  readonly meaning: string;
};

function row(status: number, retry: RetryRule, title: string, meaning: string): ErrorRow {
  return { status, retry, title, meaning };
}

/** Every code that Tachograph can answer, raise or mark an event with. `docs/ERRORS.md` is this table, checked. */
export const ERRORS = {
  // Malformed
  ERR_APPEND: row(400, 'never', 'Malformed append', 'The body does not follow the append framing.'),
  ERR_LEAF_COUNT: row(
    400,
    'never',
    'Wrong number of leaves',
    'The body holds more or fewer leaves than size − old.',
  ),
  ERR_NOTE: row(400, 'never', 'Malformed note', 'Not a signed note as C2SP signed-note defines it.'),
  ERR_CHECKPOINT: row(400, 'never', 'Malformed checkpoint', 'Not a checkpoint of exactly three lines.'),
  ERR_NUMBER: row(
    400,
    'never',
    'Malformed number',
    'A decimal number with a leading zero, a sign, or beyond 2^53 − 1.',
  ),
  ERR_NAME: row(
    400,
    'never',
    'Malformed name',
    'An authority, tenant, device or origin that is not of its form.',
  ),
  ERR_VKEY: row(
    400,
    'never',
    'Malformed verifier key',
    'Not a vkey, or its key id does not belong to its key.',
  ),
  ERR_STATEMENT: row(
    400,
    'never',
    'Malformed statement',
    'The lines of a note of ours are not those of its kind.',
  ),
  ERR_PROOF: row(400, 'never', 'Malformed proof', 'Not a tlog-proof as C2SP defines it.'),
  ERR_ORIGIN_MISMATCH: row(
    400,
    'never',
    'Other log',
    'The note is about another log than the address names.',
  ),
  ERR_REQUEST: row(
    400,
    'never',
    'Invalid request',
    'A field of the request is missing or wrong; the detail names it.',
  ),
  ERR_MEDIA_TYPE: row(
    415,
    'never',
    'Unsupported media type',
    'Send text/plain or application/vnd.tachograph.append.',
  ),
  ERR_ENCODING: row(
    400,
    'never',
    'Broken compression',
    'The body starts as gzip and does not go on as gzip.',
  ),
  // Too large
  ERR_BODY_TOO_LARGE: row(
    413,
    'after-change',
    'Body too large',
    'The append is longer than its limit: send fewer leaves at once.',
  ),
  ERR_NOTE_TOO_LARGE: row(413, 'never', 'Note too large', 'A note is longer than its limit.'),
  ERR_LEAF_TOO_LARGE: row(413, 'never', 'Leaf too large', 'One event is longer than the limit of a leaf.'),
  ERR_TOO_MANY_LEAVES: row(
    413,
    'after-change',
    'Too many leaves',
    'The append holds more leaves than its limit: send fewer at once.',
  ),
  // Who
  ERR_UNAUTHENTICATED: row(401, 'never', 'Not signed in', 'The administrator token is missing or unknown.'),
  ERR_FORBIDDEN: row(
    403,
    'never',
    'Not permitted',
    'The credential does not reach this tenant or this action.',
  ),
  ERR_SIGNATURE: row(
    403,
    'never',
    'Bad signature',
    'No signature by the key that should have signed verifies.',
  ),
  ERR_DEVICE_PENDING: row(
    403,
    'later',
    'Waiting for approval',
    'An administrator has not approved this device yet.',
  ),
  ERR_UNKNOWN_TENANT: row(404, 'never', 'Unknown tenant', 'No tenant of this name is served here.'),
  ERR_UNKNOWN_DEVICE: row(
    404,
    'later',
    'Unknown device',
    'This device is not enrolled here; the queue is kept.',
  ),
  ERR_NOT_FOUND: row(404, 'never', 'Not found', 'There is nothing at this address.'),
  ERR_EXISTS: row(409, 'never', 'Already there', 'Something of this name exists already.'),
  // Enrolment
  ERR_CHALLENGE: row(
    403,
    'after-change',
    'Challenge not valid',
    'The challenge was not issued here, or is older than an hour.',
  ),
  ERR_METHOD: row(
    403,
    'never',
    'Method not enabled',
    'The tenant does not enrol by this kind of credential.',
  ),
  ERR_CREDENTIAL_MISMATCH: row(
    403,
    'never',
    'Proof of another credential',
    'The enrolment proof names another credential than the one that was sent.',
  ),
  ERR_POLICY: row(
    403,
    'after-change',
    'Refused by a rule',
    "A rule of the tenant's policy refuses enrolment from here; the detail names it.",
  ),
  ERR_TOKEN_UNKNOWN: row(
    403,
    'never',
    'Unknown token',
    'The enrolment token does not exist for this tenant.',
  ),
  ERR_TOKEN_EXPIRED: row(403, 'never', 'Token expired', 'The enrolment token is past its time.'),
  ERR_TOKEN_USED: row(403, 'never', 'Token used up', 'The enrolment token has no uses left.'),
  ERR_TOKEN_NETWORK: row(
    403,
    'after-change',
    'Token not valid here',
    'The enrolment token is bound to other networks.',
  ),
  ERR_TENANT_REVOKED: row(
    403,
    'never',
    'Tenant revoked',
    'The tenant was revoked: no device enrols any more; what devices hold is still taken.',
  ),
  ERR_DEVICE_QUOTA: row(
    403,
    'after-change',
    'Too many devices',
    'The tenant has as many devices as its quota allows.',
  ),
  ERR_SUCCESSION: row(
    403,
    'never',
    'Succession not valid',
    'The succession note is not signed by a device of this tenant.',
  ),
  // The log
  ERR_SIZE_CONFLICT: row(409, 'after-change', 'Other size', 'The append does not start where the log ends.'),
  ERR_ROOT_MISMATCH: row(
    422,
    'after-change',
    'Other root',
    'The signed root does not follow from the log and these leaves.',
  ),
  ERR_RESTORE: row(
    422,
    'never',
    'Cannot restore',
    'The receipt or its range does not prove a state that was cosigned here.',
  ),
  // Content: the entry keeps its place in the log and goes to dead letters
  ERR_LEAF_EMPTY: row(0, 'never', 'Empty leaf', 'An entry without bytes is no event.'),
  ERR_LEAF_UTF8: row(0, 'never', 'Leaf is not UTF-8', 'The entry is not UTF-8 text.'),
  ERR_LEAF_JSON: row(0, 'never', 'Leaf is not JSON', 'The entry is not a JSON object.'),
  ERR_LEAF_DUPLICATE_KEY: row(
    0,
    'never',
    'Duplicate member',
    'A member stands twice in one object; readers would disagree.',
  ),
  ERR_LEAF_PROTO: row(0, 'never', 'Forbidden member name', 'A member is named __proto__.'),
  ERR_LEAF_SURROGATE: row(0, 'never', 'Lone surrogate', 'A string escapes half of a surrogate pair.'),
  ERR_LEAF_DEPTH: row(0, 'never', 'Nested too deeply', 'The entry has more levels than the limit.'),
  ERR_LEAF_SCHEMA: row(
    0,
    'never',
    'Not an audit event',
    'A required member is missing or of the wrong form.',
  ),
  ERR_LEAF_DATA: row(0, 'never', 'Wrong data', 'The data of a catalogued action is not of its type.'),
  ERR_LEAF_RESERVED: row(0, 'never', 'Reserved action', 'The action belongs to the log of the tenant.'),
  // Capacity
  ERR_RATE: row(
    429,
    'later',
    'Too many requests',
    'The rate of the device or the quota of the tenant is used up for now.',
  ),
  ERR_OVERLOADED: row(503, 'later', 'Overloaded', 'Too many bytes are held, or wait to be appended.'),
  ERR_LOG_UNAVAILABLE: row(
    503,
    'later',
    'Log unavailable',
    'The ordered log cannot be reached or did not settle in time.',
  ),
  ERR_LOG_TRUNCATED: row(
    503,
    'later',
    'Log truncated',
    'The log is gone, or does not hold what was settled; an operator must look.',
  ),
  ERR_REGISTRY_UNAVAILABLE: row(503, 'later', 'Registry unavailable', 'The registry cannot be reached.'),
  ERR_SHUTTING_DOWN: row(503, 'later', 'Shutting down', 'This node takes no new work; another one will.'),
  ERR_TIMEOUT: row(408, 'later', 'Too slow', 'The request did not arrive within its time.'),
  ERR_INTERNAL: row(500, 'later', 'Internal error', 'A bug; the log line with the request id says more.'),
  // Set-up
  ERR_CONFIG: row(
    0,
    'never',
    'Invalid configuration',
    'A setting is missing or wrong; every problem is listed at once.',
  ),
  // The client library
  ERR_NO_BROWSER: row(
    0,
    'never',
    'No browser',
    'There is no IndexedDB here, as when a server renders a page: nothing is recorded.',
  ),
  ERR_INSECURE_CONTEXT: row(0, 'never', 'Insecure context', 'WebCrypto needs HTTPS or localhost.'),
  ERR_NO_ED25519: row(
    0,
    'never',
    'No Ed25519',
    'The runtime lacks WebCrypto Ed25519 (Chrome 137, Firefox 129, Safari 17, Node 20).',
  ),
  ERR_STORAGE: row(0, 'later', 'Storage failed', 'The local store did not commit; the event is not durable.'),
  ERR_STORAGE_FULL: row(0, 'later', 'Storage full', 'The browser refuses to store more.'),
  ERR_BUFFER_FULL: row(
    0,
    'later',
    'Buffer full',
    'The cap on bytes that wait is reached, and whenFull is reject.',
  ),
  ERR_BUFFER_CLOSED: row(0, 'never', 'Buffer closed', 'The buffer was closed.'),
  ERR_DEVICE_REVOKED: row(
    0,
    'never',
    'Device revoked',
    'This device was revoked and its cache is destroyed: its log is closed.',
  ),
  ERR_EVENT_UNKNOWN: row(
    0,
    'never',
    'Unknown event',
    'The action is not among the events that were defined.',
  ),
  ERR_EVENT_DATA: row(0, 'never', 'Wrong event data', 'The data does not pass the schema of its event.'),
  ERR_EVENT_INVALID: row(
    0,
    'never',
    'Invalid event',
    'A member of the event is missing, of the wrong form, or not JSON.',
  ),
  ERR_EVENT_TOO_LARGE: row(0, 'never', 'Event too large', 'The event is longer than the limit of a leaf.'),
  ERR_CONTENT_REJECTED: row(
    0,
    'never',
    'Content rejected',
    'Ingest keeps the entry in its place but not as an event.',
  ),
  ERR_NETWORK: row(
    0,
    'later',
    'Network failure',
    'No valid answer of the protocol came back; nothing was deleted.',
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;
