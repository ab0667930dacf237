import { auditEventSchema, CATALOGUE } from '@tachograph/wire/schema';
import { z } from 'zod';
import { ACTION_MAPPINGS } from '../../packages/siem-export/src/formats/actions.ts';
import { CEF_KEYS } from '../../packages/siem-export/src/formats/cef-syntax.ts';
import {
  CONSTANT_ROWS,
  EVENT_ROWS,
  PROOF_ROWS,
  TIME_ROWS,
  WHO_ROWS,
  type DictionaryRow,
} from '../../packages/siem-export/src/formats/dictionary.ts';
import { ECS_CUSTOM_FIELDS, ECS_VERSION } from '../../packages/siem-export/src/formats/ecs-fields.ts';
import {
  activityUid,
  OCSF_CLASSES,
  OCSF_VERSION,
} from '../../packages/siem-export/src/formats/ocsf-classes.ts';

/** `docs/FIELDS.md`: made from the schemas and the tables of the formats, so that it cannot say anything else. */
export function fieldsPage(): string {
  return (
    [
      INTRODUCTION,
      '## Times\n\n' + factTable(TIME_ROWS),
      '## The event\n\n' + factTable(EVENT_ROWS),
      '## Who, what, where\n\n' + factTable(WHO_ROWS),
      '## Log and proof\n\n' + factTable(PROOF_ROWS),
      '## Always the same\n\n' + factTable(CONSTANT_ROWS),
      '## Actions\n\n' + ACTIONS + actionTable(),
      '## Fields of our own in ECS\n\n' + CUSTOM + customTable(),
      '## CEF\n\n' + CEF + cefTable(),
      '## What an app records\n\n' + RECORDED + memberTable(auditEventSchema),
      '## `data` of the actions in the catalogue\n\n' + catalogueTables(),
    ]
      .join('\n\n')
      .replaceAll(/\n{3,}/g, '\n\n') + '\n'
  );
}

const INTRODUCTION = `# Field dictionary

What each field of the feed means, and its name in each format. \`npm run fields\` makes this page from the schemas and from the
tables that the formats are written by; the tests hold it to what the formats write. \`cloudevents\` is CloudEvents 1.0, \`ocsf\` the
Open Cybersecurity Schema Framework ${OCSF_VERSION} with the profile \`host\`, \`ecs\` the Elastic Common Schema ${ECS_VERSION}, \`cef\` ArcSight's Common Event
Format 0. The format \`raw\` is the signed bytes and nothing else. \`EXPORT_FORMAT\` chooses one.

- A field that is not known is left out: there is no \`null\`, no empty text and no invented value. What OCSF requires and an event does
  not say is \`Unknown\`.
- \`.*\`: everything below is the event's own.
- In \`ocsf\` and \`ecs\` characters that show nothing (control, writing direction, line and paragraph separators) are spelt \`\\uXXXX\`; the
  value is the same. CEF cannot spell them: there they stand as \`<U+202E>\`, and \`<U+\` itself as \`<U+003C>U+\`. The signed bytes are never changed.
- What is no valid event goes to the dead letters in every format but \`cloudevents\`, which writes it with \`rejected\` as well.`;

const ACTIONS = `An action of an app's own is OCSF's Base Event (activity 99 under the action's name) and an ECS event of type \`info\` without a category.
A failure is at least of severity low. ECS: kind, category / type.

`;
const CUSTOM = `With the types that an index must give them. Names ECS has stand in its own list.

`;
const CEF = `Keys in the order in which they stand, with the most characters that a value has: a longer one is cut by us and ends in \`…\`.
Dates are milliseconds since the epoch. \`cs6\` is JSON: event id, the device's own time, online, session, pending, oldest, app,
targets, \`data\`. CEF has no place for the signed bytes: what must be verified is exported in another format.

`;
const RECORDED = `The members that Tachograph reads; whatever else an event carries is kept. In \`cloudevents\` they stand below \`data\`.

`;

function factTable(rows: readonly DictionaryRow[]): string {
  return table(
    ['fact', 'cloudevents', 'ecs', 'ocsf', 'cef'],
    rows.map(({ fact, cloudevents, ecs, ocsf, cef }) => [fact, ...[cloudevents, ecs, ocsf, cef].map(code)]),
  );
}

function actionTable(): string {
  const rows = [...ACTION_MAPPINGS].map(([action, { title, severity, ocsf, ecs }]) => {
    const type = OCSF_CLASSES[ocsf.class];
    const activity = `${type.uid} ${type.caption}: ${activityUid(type, ocsf.activity)} ${ocsf.activity}`;
    return [
      code(action),
      title,
      severity,
      activity,
      `${ecs.kind}, ${ecs.category.join(' ')} / ${ecs.type.join(' ')}`,
    ];
  });
  return table(['action', 'meaning', 'severity', 'OCSF', 'ECS'], rows);
}

function customTable(): string {
  return table(
    ['field', 'type'],
    Object.entries(ECS_CUSTOM_FIELDS).map(([name, type]) => [code(name), type]),
  );
}

function cefTable(): string {
  const keys = Object.entries(CEF_KEYS).filter(([key]) => !key.endsWith('Label'));
  return table(
    ['key', 'characters'],
    keys.map(([key, charactersMax]) => [code(key), charactersMax === null ? '–' : String(charactersMax)]),
  );
}

function catalogueTables(): string {
  const byTable = new Map<string, string[]>();
  for (const [action, { data }] of Object.entries(CATALOGUE)) {
    const members = memberTable(data);
    byTable.set(members, [...(byTable.get(members) ?? []), code(action)]);
  }
  return [...byTable]
    .map(([members, actions]) => `${actions.join(', ')}\n\n${members === '' ? 'Free.' : members}`)
    .join('\n\n');
}

type JsonSchema = {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly required?: readonly string[];
};

function memberTable(schema: z.ZodType): string {
  const rows = membersOf(z.toJSONSchema(schema, { io: 'input' }) as JsonSchema, '');
  return rows.length === 0 ? '' : table(['member', 'type', ''], rows);
}

function membersOf({ properties = {}, required = [] }: JsonSchema, prefix: string): string[][] {
  return Object.entries(properties).flatMap(([name, member]) => {
    const path = `${prefix}${name}`;
    const inner = member.items ?? member;
    const row = [code(path), typeOf(member), required.includes(name) ? 'required' : ''];
    return [row].concat(membersOf(inner, `${path}.`));
  });
}

function typeOf({ type, format, enum: values, anyOf, maxLength, maxItems, items }: JsonSchema): string {
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (values !== undefined) return values.map(code).join(', ');
  if (type === 'array') return `up to ${maxItems} of ${typeOf(items ?? {})}`;
  const named = format ?? type ?? 'anything';
  return maxLength === undefined ? named : `${named}, up to ${maxLength} characters`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function code(name: string | null): string {
  return name === null ? '–' : `\`${name}\``;
}
