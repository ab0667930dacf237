import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { openEmbeddedLog, type EventLog } from '@tachograph/event-log';
import { eventually } from '../../../../test/support/eventually.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { startExporter } from '../../src/index.ts';
import { fileSource } from '../../src/verify/sources/file-source.ts';
import { verifyFeed } from '../../src/verify/verifier.ts';
import { enrolled } from '../support/enrolled.ts';
import { appendTo, keepingLogger } from '../support/surroundings.ts';
import { eventLeaf, rejectedLeaf, TestDevice } from '../support/test-device.ts';

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

it('verify finds what a format has no place for among the dead letters', async () => {
  const [registrar, device] = [await TestDevice.make(), await TestDevice.make()];
  await appendTo(log, await registrar.append([enrolled(device)]));
  const rejected = rejectedLeaf(Uint8Array.of(0xff, 0x7d), 'ERR_LEAF_UTF8');
  await appendTo(log, await device.append([eventLeaf(0), rejected, eventLeaf(2)]));
  const exporter = startExporter({
    log,
    routes: [{ name: 'ecs', tenants: '*', format: 'ecs', sink: { type: 'file', stem: 'ecs' } }],
    exportDir: join(dir.path, 'export'),
    cosignerKeys: async () => [],
    logger: keepingLogger(),
  });
  await eventually('exported', () => (exporter.status().routes[0]!.counts.records >= 4 ? true : null));
  await exporter.close();
  const [feed, letters] = ['ecs', 'dead-letters-ecs'].map((stem) =>
    join(dir.path, 'export', `${stem}.ndjson`),
  );
  const options = { logKeys: [registrar.publicKey], isPartial: false, heads: new Map() };
  const without = await verifyFeed(fileSource(feed!), options);
  const own = without.logs.find(({ origin }) => origin === device.origin)!;
  expect(own.findings.filter(({ kind }) => kind === 'missing')).toMatchObject([{ from: 1, to: 2 }]);
  const whole = await verifyFeed(fileSource(feed!, [letters!]), options);
  expect(whole.logs.flatMap(({ findings }) => findings)).toEqual([]);
});
