import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADER, openEmbeddedLog, type EventLog } from '@tachograph/event-log';
import { proveEvent } from '@tachograph/siem-export';
import { toBase64, utf8 } from '@tachograph/wire';
import { appendTo } from '../../packages/siem-export/test/support/surroundings.ts';
import { TestDevice } from '../../packages/siem-export/test/support/test-device.ts';
import { runGo } from '../support/run-go.ts';
import { tempDir } from '../support/temp-dir.ts';

const GO = join(import.meta.dirname, '../vectors/go');
const GO_TIMEOUT_MS = 120_000;

describe('proofs of events, by the Go libraries', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EventLog;
  beforeEach(async () => {
    dir = await tempDir();
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite') });
  });
  afterEach(async () => {
    await log.close();
    await dir.remove();
  });

  it(
    'hold for the bytes of the event, and for no others',
    async () => {
      const device = await TestDevice.make();
      const other = await TestDevice.make();
      const proofs = [];
      for (const count of [1, 4, 7, 13]) {
        const records = await device.appendEvents(count);
        await appendTo(log, records);
        for (const { headers, value } of records) {
          const { proof } = (await proveEvent(log, headers[HEADER.id]!))!;
          proofs.push(
            { proof, leaf: toBase64(value), vkey: device.vkey, good: true },
            { proof, leaf: toBase64(utf8('{}')), vkey: device.vkey, good: false },
            { proof, leaf: toBase64(value), vkey: other.vkey, good: false },
          );
        }
      }
      const file = join(dir.path, 'claims');
      await writeFile(file, JSON.stringify({ proofs }));
      // It is silent where each claim is as it was made, and ends with the first that is not.
      expect(await runGo(GO, ['verify', file])).toBe('');
      await writeFile(file, JSON.stringify({ proofs: [{ ...proofs[0]!, good: false }] }));
      await expect(runGo(GO, ['verify', file])).rejects.toThrow('claimed false');
    },
    GO_TIMEOUT_MS,
  );
});
