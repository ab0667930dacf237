import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineEvents } from '../src/define-events.ts';
import type { AuditBuffer } from '../src/audit-buffer.ts';
import { actor, makeWorld } from './support/harness.ts';

describe('events as they are defined', () => {
  it('refuses names that are no actions, and those of the library', () => {
    const schema = z.object({});
    expect(() => defineEvents({ Reveal: schema })).toThrow(/ERR_EVENT_INVALID/);
    expect(() => defineEvents({ 'buffer.gap': schema })).toThrow(/ERR_EVENT_INVALID/);
    expect(() => defineEvents({ 'device.enrolled': schema })).toThrow(/ERR_EVENT_INVALID/);
  });

  const badData: [string, string, unknown, string][] = [
    ['an unknown event', 'item.unheard', { vault: 'v' }, 'ERR_EVENT_UNKNOWN'],
    ['a name from the prototype', 'toString', { vault: 'v' }, 'ERR_EVENT_UNKNOWN'],
    ['wrong data', 'item.reveal', { vault: 7 }, 'ERR_EVENT_DATA'],
    ['no data', 'item.reveal', undefined, 'ERR_EVENT_DATA'],
  ];
  it.each(badData)('%s is an error where it is made', async (_, action, data, code) => {
    const world = await makeWorld();
    const audit = world.open();
    const loose = audit as { record(action: string, details: object): unknown };
    expect(() => loose.record(action, { actor, data })).toThrow(expect.objectContaining({ code }));
    expect(audit.status().ledger.recorded).toBe(0);
    await audit.close();
  });

  it('a schema that validates asynchronously is refused clearly', async () => {
    const { validateData } = await import('../src/define-events.ts');
    const events = defineEvents({ 'item.reveal': z.object({}).refine(async () => true) });
    expect(() => validateData(events, 'item.reveal', {})).toThrow(/validates asynchronously/);
  });

  it('keeps what the schema made of the data', async () => {
    const { validateData } = await import('../src/define-events.ts');
    const events = defineEvents({ 'item.reveal': z.object({ vault: z.string().trim() }) });
    expect(validateData(events, 'item.reveal', { vault: ' v ', password: 'p' })).toEqual({ vault: 'v' });
  });
});

/** Never called: the compiler is the test. */
export function typesOnly(
  audit: AuditBuffer<{
    'item.reveal': z.ZodObject<{ vault: z.ZodString }>;
    'app.locked': z.ZodObject<{ idle: z.ZodOptional<z.ZodBoolean> }>;
  }>,
): void {
  audit.record('item.reveal', { actor, data: { vault: 'v' } });
  audit.record('app.locked', { actor });
  // @ts-expect-error an event that was not defined
  audit.record('item.unheard', { actor, data: { vault: 'v' } });
  // @ts-expect-error data of another type
  audit.record('item.reveal', { actor, data: { vault: 7 } });
  // @ts-expect-error data that is missing
  audit.record('item.reveal', { actor });
  // @ts-expect-error an actor that is missing
  audit.record('item.reveal', { data: { vault: 'v' } });
}
