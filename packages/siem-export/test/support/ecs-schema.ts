import { isIP } from 'node:net';
import { EcsFlat } from '@elastic/ecs';
import { ECS_CUSTOM_FIELDS } from '../../src/formats/ecs-fields.ts';

type Allowed = { readonly name: string; readonly expected_event_types?: readonly string[] };
type Field = {
  readonly type: string;
  readonly normalize: readonly string[];
  readonly allowed_values?: readonly Allowed[];
};

/** The published field list. */
export const PUBLISHED_ECS: { readonly [name: string]: Field } = EcsFlat;

const CUSTOM: { readonly [name: string]: string } = ECS_CUSTOM_FIELDS;

/** What ECS's field list and our own fields have against a document: nothing, if it is valid. */
export function ecsErrors(document: object): string[] {
  const errors = fieldErrors(document, '');
  const { event } = document as { event?: { category?: string[]; type?: string[] } };
  for (const type of event?.type ?? []) {
    const expecting = (event?.category ?? []).map((name) => expectedTypes(name));
    if (expecting.length > 0 && !expecting.some((types) => types.includes(type)))
      errors.push(`no category of the event expects the type ${type}`);
  }
  return errors;
}

function expectedTypes(category: string): readonly string[] {
  const allowed = PUBLISHED_ECS['event.category']?.allowed_values?.find(({ name }) => name === category);
  return allowed?.expected_event_types ?? [];
}

function fieldErrors(value: object, path: string): string[] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    const field = path === '' ? name : `${path}.${name}`;
    const published = PUBLISHED_ECS[field];
    const type = published?.type ?? CUSTOM[field];
    if (type !== undefined) return valueErrors(field, type, published, member);
    const items: unknown[] = Array.isArray(member) ? member : [member];
    return items.flatMap((item) =>
      typeof item === 'object' && item !== null ? fieldErrors(item, field) : [`${field} is no field`],
    );
  });
}

function valueErrors(field: string, type: string, published: Field | undefined, value: unknown): string[] {
  const isList = published?.normalize.includes('array') ?? false;
  if (isList !== Array.isArray(value)) return [`${field} is ${isList ? 'not ' : ''}a list`];
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const allowed = published?.allowed_values?.map(({ name }) => name);
  return values.flatMap((item) => {
    if (!isOfType(item, type)) return [`${field} is no ${type}`];
    return allowed === undefined || allowed.includes(String(item))
      ? []
      : [`${field} may not be ${String(item)}`];
  });
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'keyword':
    case 'constant_keyword':
    case 'wildcard':
    case 'match_only_text':
      return typeof value === 'string';
    case 'date':
      return typeof value === 'string' && /^\d{4}-.*Z$/.test(value) && !Number.isNaN(Date.parse(value));
    case 'long':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'ip':
      return typeof value === 'string' && isIP(value) !== 0 && !value.includes('%');
    case 'flattened':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      throw new Error(`nobody has said yet what a ${type} is`);
  }
}
