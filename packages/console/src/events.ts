import { defineEvents, type SchemaResult, type StandardSchema } from '@tachograph/client-buffer';

type ItemUsage = { readonly vault: string };
type SignIn = { readonly category: 'credentials_failed'; readonly type: string };

/** What this app records. The schemas are written out: a schema library would be the largest part of the page. */
export const DEMO_EVENTS = defineEvents({
  'item.reveal': members<ItemUsage>('vault'),
  'item.copy': members<ItemUsage>('vault'),
  'item.share': members<ItemUsage>('vault'),
  'item.export': members<ItemUsage>('vault'),
  'signin.attempt': members<SignIn>('category', 'type'),
});

export type DemoSchemas = (typeof DEMO_EVENTS)['schemas'];

/** An object whose members of these names are texts. */
function members<Data extends { readonly [name: string]: string }>(
  ...names: readonly (keyof Data & string)[]
): StandardSchema<Data> {
  const validate = (value: unknown): SchemaResult<Data> => {
    const object = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    const issues = names
      .filter((name) => typeof object[name] !== 'string')
      .map((name) => ({ message: 'a text is required', path: [name] }));
    return issues.length > 0 ? { issues } : { value: value as Data };
  };
  return { '~standard': { version: 1, vendor: 'tachograph-demo', validate } };
}
