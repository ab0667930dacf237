/** The version of the Elastic Common Schema that `ecs` writes. */
export const ECS_VERSION = '9.4.0';

/**
 * The fields that ECS does not have, by their types in Elasticsearch; an index needs them beside those of ECS. What
 * an app put into `data` stays under one field, so that no app can use up an index's limit of fields or give one
 * field two types.
 */
export const ECS_CUSTOM_FIELDS = {
  'tachograph.occurred': 'date',
  'tachograph.received': 'date',
  'tachograph.exported': 'date',
  'tachograph.lateness_ms': 'long',
  'tachograph.earliest': 'date',
  'tachograph.latest': 'date',
  'tachograph.estimate': 'keyword',
  'tachograph.device_time': 'date',
  'tachograph.event_id': 'keyword',
  'tachograph.log': 'keyword',
  'tachograph.sequence': 'long',
  'tachograph.leaf_hash': 'keyword',
  'tachograph.online': 'boolean',
  'tachograph.session': 'keyword',
  'tachograph.device_status': 'keyword',
  'tachograph.revocation': 'keyword',
  'tachograph.pending': 'long',
  'tachograph.oldest': 'date',
  'tachograph.edge': 'keyword',
  'tachograph.checkpoint': 'keyword',
  'tachograph.actor.type': 'keyword',
  'tachograph.targets.type': 'keyword',
  'tachograph.targets.id': 'keyword',
  'tachograph.targets.name': 'keyword',
  'tachograph.data': 'flattened',
} as const;
