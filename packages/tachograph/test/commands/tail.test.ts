import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HEADER, openEmbeddedLog, partitionOf, type LogRecord } from '@tachograph/event-log';
import { utf8 } from '@tachograph/wire';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder();

function record(index: number, extra: Record<string, string> = {}, tenant = 'acme'): LogRecord {
  const event = {
    action: 'item.reveal',
    outcome: 'success',
    actor: { id: 'u_7', email: 'ana@acme.example' },
    targets: [
      { type: 'item', id: 'i_42', name: 'prod\u001b[31m-db' },
      { type: 'vault', id: 'v_1' },
    ],
  };
  return {
    key: `${tenant}/device-${index % 3}`,
    value: utf8(JSON.stringify(event)),
    headers: {
      [HEADER.id]: `thumbprint-${tenant}/${index}/0123456789ab`,
      [HEADER.tenant]: tenant,
      [HEADER.type]: 'item.reveal',
      [HEADER.recordedTime]: `2026-11-22T10:00:${String(index).padStart(2, '0')}.000Z`,
      [HEADER.lateness]: '1500',
      ...extra,
    },
  };
}

describe('tachograph tail', () => {
  beforeAll(async () => {
    const log = await openEmbeddedLog({ file: join(folder.path, 'log.sqlite') });
    const { partitions } = await log.describe();
    const append = async (one: LogRecord): Promise<void> => {
      await log.append(partitionOf(one.key, partitions), [one], new AbortController().signal);
    };
    for (let i = 0; i < 9; i++) await append(record(i));
    await append(record(3));
    await append(record(9, { [HEADER.lateness]: String(26 * 3_600_000) }));
    await append(record(10, {}, 'other'));
    await log.close();
  });
  afterAll(() => folder.remove());

  async function tail(...args: string[]) {
    const io = fakeIo({ DATA_DIR: folder.path });
    const code = await runCli(['tail', ...args], io);
    return { code, printed: io.printed(), complained: io.complained() };
  }

  it('prints the newest events of one tenant in the order of reception, each once, safe for a terminal', async () => {
    const { code, printed } = await tail('acme', '--limit', '4');
    expect(code).toBe(0);
    const rows = printed.trimEnd().split('\n');
    expect(rows[0]).toMatch(/^RECEIVED +LATE BY +DEVICE +INDEX +ACTION +OUTCOME +ACTOR +TARGET$/);
    expect(rows.slice(1).map((row) => Number(row.split(/ {2,}/)[3]))).toEqual([6, 7, 8, 9]);
    expect(rows[1]).toContain('ana@acme.example');
    expect(rows[1]).toContain('item prod\\u{1b}[31m-db and 1 more');
    expect((await tail('acme', '--limit', '100')).printed.trimEnd().split('\n')).toHaveLength(11);
  });

  it('prints only what came late where that is asked for, and says how late', async () => {
    const { printed } = await tail('acme', '--late');
    const rows = printed.trimEnd().split('\n');
    expect(rows).toHaveLength(2);
    expect(rows[1]).toContain('26.0 h');
    expect((await tail('other', '--late')).printed).toBe('No such events.\n');
  });

  it('makes no log where there is none', async () => {
    const io = fakeIo({ DATA_DIR: join(folder.path, 'none') });
    expect(await runCli(['tail', 'acme'], io)).toBe(1);
    expect(io.complained()).toContain('There is no');
  });
});
