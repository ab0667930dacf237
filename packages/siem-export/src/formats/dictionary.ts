/** A fact of an event, and the name that it has in each format; `null` where a format has no place for it. */
export type DictionaryRow = {
  readonly fact: string;
  readonly cloudevents: string | null;
  readonly ecs: string | null;
  readonly ocsf: string | null;
  readonly cef: string | null;
};

function row(
  fact: string,
  cloudevents: string | null,
  ecs: string | null,
  ocsf: string | null,
  cef: string | null = null,
): DictionaryRow {
  return { fact, cloudevents, ecs, ocsf, cef };
}

/** A fact that only one common schema spells out, such as the caption of a number. */
function ocsfOnly(fact: string, ocsf: string): DictionaryRow {
  return row(fact, null, null, ocsf);
}

/**
 * The field dictionary: every name that a format writes, by what it means. `docs/FIELDS.md` is made from it, and
 * the tests compare it with what the formats write, in both directions. Of a name that ends in `.*` everything
 * below belongs to the event: the format adds nothing there and takes nothing away.
 */
export const TIME_ROWS: readonly DictionaryRow[] = [
  row(
    'When it occurred (the best estimate), or the time that the route wants there',
    'time',
    '@timestamp',
    'time',
    'rt',
  ),
  row(
    'The same, whatever the route puts into the field above; as `occurredtime` only where they differ',
    'occurredtime',
    'tachograph.occurred',
    'unmapped.tachograph.occurred',
    'start',
  ),
  row('The same, as the end of an event that takes no time', null, null, null, 'end'),
  row(
    'When ingest received it',
    'recordedtime',
    'event.created',
    'metadata.logged_time',
    'deviceCustomDate1',
  ),
  row('The same, beside the other times', null, 'tachograph.received', 'unmapped.tachograph.received'),
  row(
    'When the exporter wrote it',
    'exportedtime',
    'tachograph.exported',
    'metadata.processed_time',
    'deviceCustomDate2',
  ),
  row('The same, beside the other times', null, null, 'unmapped.tachograph.exported'),
  row(
    'Lateness: milliseconds from the best estimate to reception',
    'lateness',
    'tachograph.lateness_ms',
    'unmapped.tachograph.lateness_ms',
    'cn1',
  ),
  row(
    'It is not older than this; absent where unknown',
    'earliest',
    'tachograph.earliest',
    'unmapped.tachograph.earliest',
    'cs4',
  ),
  row('It is not younger than this', 'latest', 'tachograph.latest', 'unmapped.tachograph.latest', 'cs5'),
  row(
    'How the estimate was made: `monotonic`, `wall` or `unbounded`',
    'estimate',
    'tachograph.estimate',
    'unmapped.tachograph.estimate',
    'cs3',
  ),
  row(
    'What the device’s own clock said',
    'data.time',
    'tachograph.device_time',
    'unmapped.tachograph.device_time',
    'cs6',
  ),
  row('The same, where the schema has a place for it', null, null, 'metadata.original_time'),
];

export const EVENT_ROWS: readonly DictionaryRow[] = [
  row(
    'Id by which a destination knows it again: device, index and 12 hex of the leaf hash (CEF: without the device)',
    'id',
    'event.id',
    'metadata.uid',
    'externalId',
  ),
  row('The event’s own id, a UUID', 'data.id', 'tachograph.event_id', 'metadata.original_event_uid', 'cs6'),
  row('The same, beside the times', null, null, 'unmapped.tachograph.event_id'),
  row('Action', 'type', 'event.action', 'metadata.event_code', 'signature id'),
  row('What the action is, in words', null, 'message', 'message', 'name'),
  row('Class or kind of the action', null, 'event.kind', 'class_uid', 'cat'),
  row('Category', null, 'event.category', 'category_uid'),
  row('Activity or type', null, 'event.type', 'activity_id'),
  ocsfOnly('Class, in words', 'class_name'),
  ocsfOnly('Category, in words', 'category_name'),
  ocsfOnly('Activity, in words; of an action that OCSF does not know its name', 'activity_name'),
  ocsfOnly('Class and activity in one number', 'type_uid'),
  ocsfOnly('The same in words', 'type_name'),
  row(
    'Outcome: `success`, `failure`, `unknown` (of a finding: `New`)',
    'data.outcome',
    'event.outcome',
    'status',
    'outcome',
  ),
  ocsfOnly('Outcome as a number', 'status_id'),
  row('Severity: 1, 3, 5, 8 or 10 (OCSF: 1 to 5)', null, 'event.severity', 'severity_id', 'severity'),
  ocsfOnly('Severity in words', 'severity'),
  row('Tenant', 'tenant', 'organization.id', 'metadata.tenant_uid', 'flexString2'),
  row('Session of the app', 'data.session', 'tachograph.session', 'actor.session.uid', 'cs6'),
  row('The same, beside the times', null, null, 'unmapped.tachograph.session'),
  row('App', 'data.app.name', 'service.name', 'actor.app_name', 'sourceServiceName'),
  row('Version of the app', 'data.app.version', 'service.version', 'unmapped.event.app.version', 'cs6'),
  row(
    'Whether the device believed that it was online',
    'data.online',
    'tachograph.online',
    'unmapped.tachograph.online',
    'cs6',
  ),
  row('Trace that it belongs to', 'traceparent', 'trace.id', 'metadata.correlation_uid'),
  row('Span that it belongs to', 'traceparent', 'span.id', null),
];

export const WHO_ROWS: readonly DictionaryRow[] = [
  row('Who did it: id', 'data.actor.id', 'user.id', 'actor.user.uid', 'suid'),
  row('Who did it: address, else name', 'data.actor.email', 'user.name', 'actor.user.name', 'suser'),
  row('Who did it: name', 'data.actor.name', 'user.full_name', 'actor.user.full_name'),
  row('Who did it: address', 'data.actor.email', 'user.email', 'actor.user.email_addr'),
  row('Who did it: kind', 'data.actor.type', 'tachograph.actor.type', 'actor.user.type'),
  ocsfOnly('Who did it: kind as a number', 'actor.user.type_id'),
  row('Everybody named in it', null, 'related.user', null),
  row('The user that it was done to: id', 'data.targets', 'user.target.id', 'user.uid', 'duid'),
  row('The user that it was done to: name', 'data.targets', 'user.target.name', 'user.name', 'duser'),
  ocsfOnly('Of a sign-in, the user is who did it: name', 'user.full_name'),
  ocsfOnly('Of a sign-in: address', 'user.email_addr'),
  ocsfOnly('Of a sign-in: kind', 'user.type'),
  ocsfOnly('Of a sign-in: kind as a number', 'user.type_id'),
  row('The group that it was done to: id', 'data.targets', 'group.id', 'group.uid'),
  row('The group that it was done to: name', 'data.targets', 'group.name', 'group.name'),
  row(
    'All targets: id (CEF: the first that is no user)',
    'data.targets',
    'tachograph.targets.id',
    'web_resources.uid',
    'fileId',
  ),
  row('All targets: name', 'data.targets', 'tachograph.targets.name', 'web_resources.name', 'fname'),
  row('All targets: type', 'data.targets', 'tachograph.targets.type', 'web_resources.type', 'fileType'),
  row('How many targets', null, null, null, 'cn3'),
  ocsfOnly('Targets of a finding or of a grant: id', 'resources.uid'),
  ocsfOnly('Their name', 'resources.name'),
  ocsfOnly('Their type', 'resources.type'),
  ocsfOnly('What was managed: id', 'entity.uid'),
  ocsfOnly('Its name', 'entity.name'),
  ocsfOnly('Its type', 'entity.type'),
  ocsfOnly('Its type as a number', 'entity.type_id'),
  ocsfOnly('What was granted or taken back', 'privileges'),
  ocsfOnly('Service that was signed in to', 'service.name'),
  ocsfOnly('Its version', 'service.version'),
  ocsfOnly('Category of a sign-in', 'status_code'),
  ocsfOnly('Details of a sign-in, where they are a text', 'status_detail'),
  row('Device: the thumbprint of its key', 'source', 'device.id', 'device.uid', 'deviceExternalId'),
  row('The same, where rules for hosts look', null, 'host.id', null),
  row('The same, among everything related', null, 'related.hosts', null),
  ocsfOnly('Kind of the device: not known', 'device.type'),
  ocsfOnly('The same as a number', 'device.type_id'),
  row('Operating system', 'data.data', 'host.os.name', 'device.os.name'),
  row('Its version', 'data.data', 'host.os.version', 'device.os.version'),
  ocsfOnly('Its kind as a number: not known', 'device.os.type_id'),
  row('Address of the client, IPv4', 'data.data', 'client.ip', 'src_endpoint.ip', 'src'),
  row('Address of the client, IPv6', 'data.data', 'source.ip', 'src_endpoint.ip', 'c6a2'),
  row('The same, among everything related', null, 'related.ip', null),
  row(
    'Status of the device; of a revoked one, `before`, `straddles` or `after` stands beside it in CEF',
    'devicestatus',
    'tachograph.device_status',
    'unmapped.tachograph.device_status',
    'flexString1',
  ),
  row(
    'Of a revoked device: `before`, `straddles` or `after` the revocation',
    'revocation',
    'tachograph.revocation',
    'unmapped.tachograph.revocation',
    'flexString1',
  ),
];

export const PROOF_ROWS: readonly DictionaryRow[] = [
  row('Log that it stands in', 'source', 'tachograph.log', 'metadata.log_name', 'cs1'),
  row('The same, beside the times', null, null, 'unmapped.tachograph.log'),
  ocsfOnly('The same, of an event about logs', 'log_name'),
  ocsfOnly('Kind of that log', 'log_type'),
  ocsfOnly('The same as a number', 'log_type_id'),
  row('Log that an alarm is about', 'subject', 'tachograph.log', 'metadata.log_name', 'cs1'),
  row('Index in that log', 'sequence', 'event.sequence', 'metadata.sequence', 'cn2'),
  row('The same, beside the times', null, 'tachograph.sequence', 'unmapped.tachograph.sequence'),
  row('The bytes that were signed', 'data', 'event.original', 'raw_data'),
  ocsfOnly('How many', 'raw_data_size'),
  row(
    'Their leaf hash: SHA-256 of a zero byte and the bytes, hex',
    'leafhash',
    'event.hash',
    'raw_data_hash.value',
    'cs2',
  ),
  row('The same, beside the times', null, 'tachograph.leaf_hash', 'unmapped.tachograph.leaf_hash'),
  ocsfOnly('How it is made', 'raw_data_hash.algorithm'),
  ocsfOnly('The same as a number: other', 'raw_data_hash.algorithm_id'),
  row(
    'The device’s tree before this append, to check what follows; on the first event of an append',
    'edge',
    'tachograph.edge',
    'unmapped.tachograph.edge',
  ),
  row(
    'The device’s signature over its log up to here; on the last event of an append',
    'checkpoint',
    'tachograph.checkpoint',
    'unmapped.tachograph.checkpoint',
  ),
  row(
    'Events that the device still held, this one included; on the first event of an append',
    'pending',
    'tachograph.pending',
    'unmapped.tachograph.pending',
    'cs6',
  ),
  row('The oldest of them', 'oldest', 'tachograph.oldest', 'unmapped.tachograph.oldest', 'cs6'),
  ocsfOnly('Id of a finding, the same whoever reports it', 'finding_info.uid'),
  ocsfOnly('What was found', 'finding_info.title'),
  ocsfOnly('Its action', 'finding_info.types'),
  ocsfOnly('When', 'finding_info.created_time'),
  ocsfOnly('Whether somebody should look at once', 'is_alert'),
  row('What an app put into `data`', 'data.data', 'tachograph.data.*', 'unmapped.event.*', 'cs6'),
  row(
    'Error code of what is no valid event; other formats leave it to the dead letters',
    'rejected',
    null,
    null,
  ),
];

export const CONSTANT_ROWS: readonly DictionaryRow[] = [
  row('Version of the format', 'specversion', 'ecs.version', 'metadata.version', 'CEF:0'),
  row('Who writes it', null, 'event.module', 'metadata.product.name', 'device product'),
  row('The same', null, 'event.dataset', 'metadata.product.vendor_name', 'device vendor'),
  ocsfOnly('Profile', 'metadata.profiles'),
  row('Media type of the bytes', 'datacontenttype', null, null),
  row('The bytes in Base64, where they cannot stand in a line', 'data_base64', null, null),
];

export const DICTIONARY: readonly DictionaryRow[] = [
  ...TIME_ROWS,
  ...EVENT_ROWS,
  ...WHO_ROWS,
  ...PROOF_ROWS,
  ...CONSTANT_ROWS,
];
