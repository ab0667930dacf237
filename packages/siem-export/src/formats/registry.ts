import { cloudevents } from './cloudevents.ts';
import type { Format } from './format.ts';
import { raw } from './raw.ts';

/** Every format. Adding one is a file, its test, and a line here. */
export const FORMATS = { cloudevents, raw } as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;
