import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

type PublishedClass = {
  readonly caption: string;
  readonly category: string;
  readonly activities: { readonly [uid: string]: string };
  readonly schema: object;
};
type Bundle = {
  readonly version: string;
  readonly profiles: readonly string[];
  readonly objects: object;
  readonly classes: { readonly [uid: string]: PublishedClass };
};

/** The published schema of the classes that we use: `test/schemas/ocsf-schema.py` says how it was made. */
const file = new URL('../schemas/ocsf-1.8.0.json', import.meta.url);
export const PUBLISHED_OCSF = JSON.parse(readFileSync(file, 'utf8')) as Bundle;

const validators = new Map<number, ValidateFunction>();

/** What the published schema has against an event: nothing, if it is valid. */
export function ocsfErrors(event: {
  readonly class_uid: number;
  readonly [member: string]: unknown;
}): readonly ErrorObject[] {
  const validate = validators.get(event.class_uid) ?? validatorOf(event.class_uid);
  validators.set(event.class_uid, validate);
  return validate(event) ? [] : (validate.errors ?? []);
}

function validatorOf(uid: number): ValidateFunction {
  const published = PUBLISHED_OCSF.classes[String(uid)];
  if (published === undefined) throw new Error(`class ${uid} is not among the published schemas here`);
  // The schema says `anyOf` of required members without repeating their types, which strict mode refuses.
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  return ajv.compile({ ...published.schema, $defs: PUBLISHED_OCSF.objects });
}
