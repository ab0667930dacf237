import { cef } from './cef.ts';
import { cloudevents } from './cloudevents.ts';
import { ecs } from './ecs.ts';
import type { Format } from './format.ts';
import { ocsf } from './ocsf.ts';
import { raw } from './raw.ts';

/** Every format. Adding one is a file, its test, and a line here. */
export const FORMATS = { cloudevents, ocsf, ecs, cef, raw } as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as [FormatName, ...FormatName[]];

export function isFormatName(text: string): text is FormatName {
  return Object.hasOwn(FORMATS, text);
}
