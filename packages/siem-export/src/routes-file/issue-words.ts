import type { z } from 'zod';
import { PLACEHOLDER } from './placeholder.ts';
import { expectationAt, membersAt, valuesAt, type SchemaNode } from './schema-node.ts';
import { suggestionFor } from './suggestion.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** One thing that is wrong, and where to look for it. */
export type Finding = {
  /** Leads to what is wrong; of an unknown member, to that member. */
  readonly where: Path;
  readonly part: 'name' | 'value';
  /** What a person is shown: never a name that is not ours. */
  readonly path: Path;
  readonly message: string;
};

/**
 * What zod found wrong with `input`, in words that name the limit and never repeat what stands there. `node` is the
 * JSON schema of what was expected.
 */
export function findingsOf(issues: readonly Issue[], input: unknown, node: SchemaNode): Finding[] {
  return issues.flatMap((issue) => wordsOf(issue, input, node));
}

/** `above` leads to what the issue's own path begins at. */
function wordsOf(issue: Issue, input: unknown, node: SchemaNode, above: Path = []): Finding[] {
  const path = above.concat(issue.path);
  const at = (message: string): Finding[] => [{ where: path, part: 'value', path, message }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        where: path.concat(key),
        part: 'name',
        path,
        message: `unknown member; ${instead(key, membersAt(node, path))}`,
      }));
    case 'invalid_union':
      return wordsOfUnion(issue, input, node, path);
    case 'invalid_type':
    case 'invalid_value':
      return at(mismatch(valueAt(input, path), expectationAt(node, path), node, path));
    case 'too_small':
    case 'too_big':
      return at(issue.message.startsWith('Too ') ? limitOf(issue) : issue.message);
    case 'invalid_format':
      return at(
        issue.message.startsWith('Invalid ') ? `not valid: ${issue.format}` : `expected ${issue.message}`,
      );
    default:
      return at(issue.message);
  }
}

function mismatch(found: unknown, expected: string, node: SchemaNode, path: Path): string {
  if (found === undefined) return `missing; expected ${expected}`;
  if (typeof found === 'number' && expected === 'a text') return 'expected a text; put the number in quotes';
  if (typeof found === 'object' && found !== null && 'tenant' in found && expected === 'a text')
    return `expected a text; put ${PLACEHOLDER} into quotes`;
  if (found === null) return `empty; expected ${expected}`;
  const near = typeof found === 'string' ? suggestionFor(found, valuesAt(node, path)) : null;
  return near === null ? `expected ${expected}` : `expected ${expected}; did you mean ${near}?`;
}

function instead(key: string, known: readonly string[]): string {
  const near = suggestionFor(key, known);
  if (near !== null) return `did you mean ${near}?`;
  return known.length === 0 ? 'there are none here' : `there are ${known.join(', ')}`;
}

function limitOf(issue: Issue & { code: 'too_small' | 'too_big' }): string {
  const units: { readonly [origin: string]: string } = { string: ' characters', array: ' in the list' };
  const bounds = { too_small: ['more than', 'at least'], too_big: ['less than', 'at most'] } as const;
  const amount = issue.code === 'too_small' ? issue.minimum : issue.maximum;
  const bound = bounds[issue.code][issue.inclusive === true ? 1 : 0];
  return `expected ${bound} ${amount}${units[issue.origin] ?? ''}`;
}

/** The words of the alternative that was meant, where that can be told; else all of them. */
function wordsOfUnion(
  issue: Issue & { code: 'invalid_union' },
  input: unknown,
  node: SchemaNode,
  path: Path,
): Finding[] {
  const branches = issue.errors.flatMap(flattened);
  const meant = branches.filter((branch) => !branch.some(isOtherKind));
  const fewest = Math.min(...meant.map((branch) => branch.length));
  const [best, ...others] = meant.filter((branch) => branch.length === fewest);
  if (best !== undefined && others.length === 0) {
    return best.flatMap((inner) => wordsOf(inner, input, node, path));
  }
  const unknown = meant
    .flat()
    .flatMap((inner) => (inner.code === 'unrecognized_keys' && inner.path.length === 0 ? inner.keys : []))
    .find(
      (key) => suggestionFor(key, membersAt(node, path)) !== null && !membersAt(node, path).includes(key),
    );
  if (unknown !== undefined) {
    const message = `unknown member; ${instead(unknown, membersAt(node, path))}`;
    return [{ where: [...path, unknown], part: 'name', path, message }];
  }
  const message = mismatch(valueAt(input, path), expectationAt(node, path), node, path);
  return [{ where: path, part: 'value', path, message }];
}

/** The alternatives of alternatives. */
function flattened(branch: readonly Issue[]): readonly (readonly Issue[])[] {
  const [only, ...more] = branch;
  return only?.code === 'invalid_union' && more.length === 0 && only.path.length === 0
    ? only.errors.flatMap(flattened)
    : [branch];
}

/** Whether this alternative is about another kind of value: a list where a text stands. */
function isOtherKind({ code, path }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([name]) => name === String(step))?.[1]
        : undefined,
    input,
  );
}
