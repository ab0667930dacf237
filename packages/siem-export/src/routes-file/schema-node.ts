import { z } from 'zod';

/** The parts of a JSON schema that say what may stand somewhere. */
export type SchemaNode = {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: { readonly [name: string]: SchemaNode };
  readonly additionalProperties?: SchemaNode | boolean;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
};

/** What `schema` takes, before defaults and transformations. */
export function schemaNode(schema: z.ZodType): SchemaNode {
  // Draft 7 is what editors know best. What JSON schema cannot say is left open.
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }) as SchemaNode;
}

/** Every alternative that `path` may lead to. */
function alternativesAt(root: SchemaNode, path: readonly PropertyKey[]): readonly SchemaNode[] {
  return path.reduce<readonly SchemaNode[]>(
    (nodes, step) => nodes.flatMap((node) => stepInto(node, step)).flatMap(alternatives),
    alternatives(root),
  );
}

/** The names of members that may stand at `path`. */
export function membersAt(root: SchemaNode, path: readonly PropertyKey[]): string[] {
  const names = alternativesAt(root, path).flatMap(({ properties = {} }) => Object.keys(properties));
  return [...new Set(names)];
}

/** What may stand at `path`, in words. */
export function expectationAt(root: SchemaNode, path: readonly PropertyKey[]): string {
  const words = [...new Set(alternativesAt(root, path).flatMap(wordsFor))];
  return words.length === 0
    ? 'something else'
    : new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words);
}

/** The texts that may stand at `path`, where it is one of some. */
export function valuesAt(root: SchemaNode, path: readonly PropertyKey[]): string[] {
  const values = alternativesAt(root, path).flatMap((node) => (node.enum ?? []).concat(node.const));
  return values.filter((value) => typeof value === 'string');
}

function alternatives(node: SchemaNode): readonly SchemaNode[] {
  const branches = node.anyOf ?? (node.properties === undefined ? node.oneOf : undefined);
  return branches === undefined ? [node] : branches.flatMap(alternatives);
}

function stepInto({ properties, additionalProperties, items }: SchemaNode, step: PropertyKey): SchemaNode[] {
  const found =
    typeof step === 'number'
      ? items
      : (Object.entries(properties ?? {}).find(([name]) => name === step)?.[1] ??
        (typeof additionalProperties === 'object' ? additionalProperties : undefined));
  return found === undefined ? [] : [found];
}

const TYPES: { readonly [type: string]: string } = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list ([a, b])',
  null: 'null',
};

function wordsFor({ type = '', const: only, enum: values, properties, required = [] }: SchemaNode): string[] {
  if (only !== undefined) return [JSON.stringify(only)];
  if (values !== undefined) return values.map(String);
  if (type !== 'object') return [TYPES[type] ?? 'something else'];
  const names = required.length > 0 ? required : Object.keys(properties ?? {});
  const members = names.map((name) => `${name}: …`).join(', ');
  return [members === '' ? 'members ({name: value})' : `{${members}}`];
}
