import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSinkContract } from '../../../../test/contracts/sink.contract.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { utf8 } from '@tachograph/wire';
import { secretReader } from '../../src/secret.ts';
import { fileSink, fileSinkDefinition } from '../../src/sinks/file.ts';
import type { Delivery } from '../../src/sinks/sink.ts';
import { exportEvent } from '../support/export-event.ts';
import { FailingFiles } from '../support/failing-files.ts';
import { FastClock, keepingLogger } from '../support/surroundings.ts';
import { eventLeaf } from '../support/test-device.ts';

const deliveries = (from: number, count: number): Delivery[] =>
  Array.from({ length: count }, (_, i) => ({
    event: exportEvent(eventLeaf(from + i)),
    line: `line ${from + i}`,
    time: '2026-11-22T10:00:00.123Z',
  }));

describeSinkContract('file', async () => {
  const dir = await tempDir();
  const files = new FailingFiles();
  const validConfig = { type: 'file', stem: 'feed' };
  return {
    sink: fileSink,
    validConfig,
    deliveries,
    open: (marks) =>
      fileSink.open(validConfig, {
        format: 'cloudevents',
        exportDir: dir.path,
        files,
        clock: new FastClock(),
        logger: keepingLogger(),
        readSecret: secretReader({}),
        marks,
      }),
    received: async () => (await readFile(join(dir.path, 'feed.ndjson'), 'utf8')).split('\n').slice(0, -1),
    breakOnce: () => files.fail('write', 'ENOSPC'),
    destroy: () => dir.remove(),
  };
});

describe('the sink file', () => {
  const config = fileSinkDefinition.config.parse({ type: 'file', stem: 'feed' });

  it('encodes one line an event, each ended by a line feed', () => {
    expect(fileSinkDefinition.encode(deliveries(0, 2), config)).toEqual(utf8('line 0\nline 1\n'));
  });

  it.each([
    ['ENOSPC', 'retry'],
    ['EIO', 'retry'],
    ['EDQUOT', 'retry'],
    ['EUNKNOWN', 'retry'],
    ['EACCES', 'halt'],
    ['EROFS', 'halt'],
  ])('classifies %s as %s of the whole batch', (code, kind) => {
    const outcomes = fileSinkDefinition.classify({ kind: 'failed', code }, deliveries(0, 3));
    expect(outcomes.map((outcome) => outcome.kind)).toEqual([kind, kind, kind]);
    expect(outcomes[0]).toMatchObject({ reason: expect.stringContaining(code) });
  });

  it.each(['../evil', 'a/b', '', '.hidden', 'A', 'a'.repeat(65)])(
    'refuses the name %j for a file',
    (stem) => {
      expect(fileSink.config.safeParse({ type: 'file', stem }).success).toBe(false);
    },
  );
});
