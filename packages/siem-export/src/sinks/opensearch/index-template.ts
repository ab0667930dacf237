import { ECS_CUSTOM_FIELDS } from '../../formats/ecs-fields.ts';

export type Flavour = 'opensearch' | 'elasticsearch';

type Mapping = { [name: string]: unknown };

/** Signed bytes and proofs: kept, given back, and never searched. */
const STORED = { type: 'keyword', index: false, doc_values: false };
const DATES = ['@timestamp', 'event.created'];
const NUMBERS = ['event.sequence', 'event.severity'];
const ADDRESSES = ['client.ip', 'source.ip', 'related.ip'];
const UNSEARCHED = ['event.original', 'tachograph.edge', 'tachograph.checkpoint'];
const KEYWORDS = [
  'ecs.version',
  ...['id', 'action', 'kind', 'category', 'type', 'outcome', 'module', 'dataset', 'hash'].map(
    (name) => `event.${name}`,
  ),
  'organization.id',
  ...['id', 'name', 'full_name', 'email', 'target.id', 'target.name'].map((name) => `user.${name}`),
  'group.id',
  'group.name',
  'device.id',
  'host.id',
  'host.os.name',
  'host.os.version',
  'service.name',
  'service.version',
  'related.user',
  'related.hosts',
  'trace.id',
  'span.id',
];

/**
 * The index template of the format `ecs`. Fields that it does not name are kept and not indexed: no app can use up an
 * index's fields, or give one field two types.
 */
export function indexTemplate(patterns: readonly string[], flavour: Flavour) {
  const properties: Mapping = {};
  const put = (path: string, mapping: Mapping): void => {
    const names = path.split('.');
    let at = properties;
    for (const name of names.slice(0, -1)) {
      const inner = (at[name] ?? { properties: {} }) as { properties: Mapping };
      at[name] = inner;
      at = inner.properties;
    }
    at[names.at(-1)!] = mapping;
  };
  for (const path of DATES) put(path, { type: 'date' });
  for (const path of NUMBERS) put(path, { type: 'long' });
  for (const path of ADDRESSES) put(path, { type: 'ip' });
  for (const path of KEYWORDS) put(path, { type: 'keyword', ignore_above: 1_024 });
  for (const [path, type] of Object.entries(ECS_CUSTOM_FIELDS)) put(path, customField(type, flavour));
  for (const path of UNSEARCHED) put(path, STORED);
  put('message', { type: 'text' });
  return {
    index_patterns: patterns,
    priority: 200,
    template: { mappings: { dynamic: false, properties } },
    _meta: { description: 'Audit events in the Elastic Common Schema, written by Tachograph' },
  };
}

function customField(type: string, flavour: Flavour): Mapping {
  // The same thing under another name.
  if (type === 'flattened') return { type: flavour === 'opensearch' ? 'flat_object' : 'flattened' };
  return type === 'keyword' ? { type, ignore_above: 1_024 } : { type };
}
