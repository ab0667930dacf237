import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbeddedLog, type EventLog } from '@tachograph/event-log';
import { leafHash, toHex, utf8, type CheckpointNote, type NoteKey } from '@tachograph/wire';
import { eventually } from '../../../../test/support/eventually.ts';
import { random } from '../../../../test/support/random.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { startExporter, type FormatName } from '../../src/index.ts';
import type { FindingKind } from '../../src/verify/finding.ts';
import { fileSource } from '../../src/verify/sources/file-source.ts';
import { logSource } from '../../src/verify/sources/log-source.ts';
import { exitCodeOf, verifyFeed, type FeedReport, type VerifyOptions } from '../../src/verify/verifier.ts';
import { enrolled } from '../support/enrolled.ts';
import { appendTo, keepingLogger } from '../support/surroundings.ts';
import { ingestSigner, TestDevice } from '../support/test-device.ts';

const DEVICES = 4;
const APPENDS = 60;
const SEED = 20_261_201;
const FORMATS = ['cloudevents', 'ecs', 'ocsf'] as const;

type Plant = { readonly origin: string; readonly index: number };

describe('verify', () => {
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let log: EventLog;
  let cosigner: NoteKey;
  let devices: TestDevice[];
  let tenantLog: TestDevice;
  /** By format: the lines of the untouched feed. */
  const feeds = new Map<FormatName, readonly string[]>();

  beforeAll(async () => {
    dir = await tempDir();
    log = await openEmbeddedLog({ file: join(dir.path, 'log.sqlite') });
    cosigner = (await ingestSigner()).key;
    devices = await Promise.all(Array.from({ length: DEVICES }, () => TestDevice.make()));
    tenantLog = await TestDevice.make();
    const next = random(SEED);
    for (const device of devices) await appendTo(log, await tenantLog.append([enrolled(device)]));
    for (let append = 0; append < APPENDS; append++) {
      for (const device of devices)
        await appendTo(log, await device.appendEvents(1 + Math.floor(next() * 12)));
    }
    for (const format of FORMATS) feeds.set(format, await exported(format));
  }, 60_000);
  afterAll(async () => {
    await log?.close();
    await dir?.remove();
  });

  async function exported(format: FormatName): Promise<string[]> {
    const { total } = await sizes();
    const exporter = startExporter({
      log,
      routes: [{ name: format, tenants: '*', format, sink: { type: 'file', stem: format } }],
      exportDir: join(dir.path, format),
      cosignerKeys: async () => [cosigner],
      logger: keepingLogger(),
    });
    await eventually('everything is exported', () =>
      exporter.status().routes[0]!.counts.records >= total ? true : null,
    );
    await exporter.close();
    return (await readFile(join(dir.path, format, `${format}.ndjson`), 'utf8')).split('\n').slice(0, -1);
  }

  async function sizes(): Promise<{ total: number }> {
    const { partitions } = await log.describe();
    const ends = await Promise.all(Array.from({ length: partitions }, (_, id) => log.offsets(id)));
    return { total: ends.reduce((sum, { next }) => sum + next, 0) };
  }

  let files = 0;
  async function verified(
    lines: readonly string[],
    options: Partial<VerifyOptions> = {},
  ): Promise<FeedReport> {
    const path = join(dir.path, `planted-${files++}.ndjson`);
    await writeFile(path, lines.map((line) => `${line}\n`).join(''));
    return verifyFeed(fileSource(path), { ...defaults(), ...options });
  }
  const defaults = (): VerifyOptions => ({
    logKeys: [tenantLog.publicKey],
    isPartial: false,
    heads: new Map(),
  });
  const found = (report: FeedReport, kind: FindingKind): string[] =>
    report.logs.flatMap(({ origin, findings }) =>
      findings
        .filter((finding) => finding.kind === kind)
        .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => `${origin}/${from + i}`)),
    );
  const names = (plants: readonly Plant[]): string[] =>
    plants.map(({ origin, index }) => `${origin}/${index}`);
  const placeOf = (format: FormatName, line: string): Plant => {
    const value = JSON.parse(line) as Record<string, never>;
    if (format === 'cloudevents') return { origin: value['source']!, index: Number(value['sequence']) };
    const { tachograph } = format === 'ecs' ? (value as never) : (value['unmapped'] as never);
    const { log: origin, sequence: index } = tachograph as { log: string; sequence: number };
    return { origin, index };
  };
  /** Line numbers of the devices' own entries, far enough from each other that each plant is one by itself. */
  const places = (format: FormatName, count: number, next: () => number): number[] => {
    const lines = feeds.get(format)!;
    const chosen = new Set<number>();
    const taken = new Set<string>();
    while (chosen.size < count) {
      const at = Math.floor(next() * lines.length);
      const { origin, index } = placeOf(format, lines[at]!);
      if (origin === tenantLog.origin || taken.has(`${origin}/${index}`)) continue;
      for (let near = index - 1; near <= index + 1; near++) taken.add(`${origin}/${near}`);
      chosen.add(at);
    }
    return [...chosen];
  };

  it.each(FORMATS)('calls the untouched feed in %s complete, with every entry proven', async (format) => {
    const report = await verified(feeds.get(format)!);
    expect(exitCodeOf(report)).toBe(0);
    expect(report.logs).toHaveLength(DEVICES + 1);
    for (const device of [...devices, tenantLog]) {
      const own = report.logs.find(({ origin }) => origin === device.origin)!;
      expect(own).toMatchObject({ provenTo: device.range.size, entries: device.range.size, findings: [] });
    }
  });

  it('calls the ordered log complete, also where ingest appended something twice', async () => {
    const twice = await openEmbeddedLog({ file: join(dir.path, 'twice.sqlite') });
    const [registrar, device] = [await TestDevice.make(), await TestDevice.make()];
    await appendTo(twice, await registrar.append([enrolled(device)]));
    const records = await device.appendEvents(7);
    for (let i = 0; i < 2; i++) await appendTo(twice, records);
    await appendTo(twice, await device.appendEvents(2));
    const repeated = await verifyFeed(
      logSource(twice, 'the log', async () => null),
      { ...defaults(), logKeys: [registrar.publicKey] },
    );
    expect(exitCodeOf(repeated)).toBe(0);
    expect(repeated.logs.find(({ origin }) => origin === device.origin)).toMatchObject({
      entries: 9,
      provenTo: 9,
    });
    await twice.close();
    const report = await verifyFeed(
      logSource(log, 'the log', async () => null),
      defaults(),
    );
    expect(exitCodeOf(report)).toBe(0);
    for (const { origin, range } of [...devices, tenantLog]) {
      expect(report.logs.find((own) => own.origin === origin)).toMatchObject({ provenTo: range.size });
    }
  });

  it.each(FORMATS)('finds each of 100 edits in %s by its exact index', async (format) => {
    const lines = [...feeds.get(format)!];
    const edited = places(format, 100, random(SEED + 1));
    for (const at of edited) {
      const line = lines[at]!.replaceAll('u_7', 'u_8');
      expect(line).not.toBe(lines[at]);
      lines[at] = line;
    }
    const report = await verified(lines);
    expect(found(report, 'altered').toSorted()).toEqual(
      names(edited.map((at) => placeOf(format, lines[at]!))).toSorted(),
    );
    expect(report.logs.flatMap(({ findings }) => findings.map(({ kind }) => kind))).not.toContain('missing');
    expect(exitCodeOf(report)).toBe(11);
  });

  it.each(FORMATS)('finds each of 100 removed lines of %s by its exact index', async (format) => {
    const lines = feeds.get(format)!;
    const removed = new Set(places(format, 100, random(SEED + 2)));
    const report = await verified(lines.filter((_, at) => !removed.has(at)));
    const expected = [...removed].map((at) => placeOf(format, lines[at]!));
    // The end of a log tells nothing of itself: only the checkpoint before it is there.
    const ends = new Map<string, number>(devices.map(({ origin, range }) => [origin, range.size - 1]));
    const inside = expected.filter(({ origin, index }) => ends.get(origin) !== index);
    expect(found(report, 'missing').toSorted()).toEqual(names(inside).toSorted());
    expect(found(report, 'altered')).toEqual([]);
    expect(exitCodeOf(report)).toBe(13);
  });

  it.each(FORMATS)('finds each of 100 doubled lines of %s by its exact index', async (format) => {
    const lines = feeds.get(format)!;
    const doubled = new Set(places(format, 100, random(SEED + 3)));
    const report = await verified(lines.flatMap((line, at) => (doubled.has(at) ? [line, line] : [line])));
    expect(found(report, 'doubled').toSorted()).toEqual(
      names([...doubled].map((at) => placeOf(format, lines[at]!))).toSorted(),
    );
    expect(exitCodeOf(report)).toBe(14);
  });

  it.each(FORMATS)('finds both of 50 pairs of swapped lines of %s, however far apart', async (format) => {
    const lines = [...feeds.get(format)!];
    const next = random(SEED + 4);
    const swapped: Plant[] = [];
    for (const { origin } of devices) {
      const own = lines.flatMap((line, at) => (placeOf(format, line).origin === origin ? [at] : []));
      // Stretches that do not overlap, each with one pair in it.
      const stretch = Math.floor(own.length / 13);
      for (let pair = 0; pair < 12; pair++) {
        const one = own[pair * stretch]!;
        const two = own[pair * stretch + 2 + Math.floor(next() * (stretch - 3))]!;
        swapped.push(placeOf(format, lines[one]!), placeOf(format, lines[two]!));
        [lines[one], lines[two]] = [lines[two]!, lines[one]!];
      }
    }
    const report = await verified(lines);
    expect(found(report, 'disordered').toSorted()).toEqual(names(swapped).toSorted());
    expect(exitCodeOf(report)).toBe(15);
  });

  it('finds where a feed is cut: inside an append by itself, at its end by the receipt of ingest', async () => {
    const isTenants = (line: string): boolean => placeOf('cloudevents', line).origin === tenantLog.origin;
    const lines = feeds.get('cloudevents')!.filter((line) => !isTenants(line));
    const keys = feeds.get('cloudevents')!.filter(isTenants);
    const next = random(SEED + 5);
    for (let cut = 0; cut < 50; cut++) {
      const at = 1 + Math.floor(next() * (lines.length - 1));
      const left = [...keys, ...lines.slice(0, at)];
      const heads = new Map(
        await Promise.all(
          devices.map(async (device): Promise<readonly [string, CheckpointNote]> => [
            device.origin,
            await device.signedCheckpoint(),
          ]),
        ),
      );
      const report = await verified(left, { heads });
      for (const device of devices) {
        const had = left.filter((line) => placeOf('cloudevents', line).origin === device.origin).length;
        const own = report.logs.find(({ origin }) => origin === device.origin)!;
        const missing = own.findings.find(({ kind }) => kind === 'missing');
        if (had === device.range.size) expect(missing).toBeUndefined();
        else expect(missing).toMatchObject({ from: had, to: device.range.size });
        const unsigned = own.findings.find(({ kind }) => kind === 'unsigned');
        if (own.provenTo < had && had < device.range.size)
          expect(unsigned).toMatchObject({ from: own.provenTo, to: had });
      }
    }
  });

  it('says that a range was altered where whoever did it made the hashes fit too', async () => {
    const lines = [...feeds.get('cloudevents')!];
    const at = places('cloudevents', 1, random(SEED + 6))[0]!;
    const { origin, index } = placeOf('cloudevents', lines[at]!);
    const value = JSON.parse(lines[at]!) as { data: object; leafhash: string };
    const leaf = lines[at]!.slice(lines[at]!.indexOf('"data":') + 7, -1).replaceAll('u_7', 'u_8');
    lines[at] = lines[at]!.replace(value.leafhash, toHex(leafHash(utf8(leaf)))).replace(
      /"data":.*$/,
      () => `"data":${leaf}}`,
    );
    const report = await verified(lines);
    const own = report.logs.find((one) => one.origin === origin)!;
    const altered = own.findings.find(({ kind }) => kind === 'altered')!;
    expect(altered.from).toBeLessThanOrEqual(index);
    expect(altered.to).toBeGreaterThan(index);
    expect(altered.to - altered.from).toBeLessThanOrEqual(12);
    // What follows is checked again, from the next append on.
    expect(own.findings).toEqual([altered]);
    expect(own.provenTo).toBe(devices.find((device) => device.origin === origin)!.range.size);
  });

  it('believes no checkpoint of another key, and proves what stands before it', async () => {
    const stranger = await TestDevice.make();
    const report = await verified(feeds.get('cloudevents')!, { logKeys: [stranger.publicKey] });
    const own = report.logs.find(({ origin }) => origin === tenantLog.origin)!;
    expect(own.findings).toMatchObject([{ kind: 'unproven', from: 0, to: DEVICES }]);
    expect(exitCodeOf(report)).toBe(16);
  });

  it('takes a feed that begins in the middle for what it is, if told so', async () => {
    const lines = feeds.get('cloudevents')!.filter((line) => {
      const { origin, index } = placeOf('cloudevents', line);
      return origin !== devices[0]!.origin || index >= 100;
    });
    const report = await verified(lines);
    expect(found(report, 'missing')).toHaveLength(100);
    const partial = await verified(lines, { isPartial: true });
    const own = partial.logs.find(({ origin }) => origin === devices[0]!.origin)!;
    expect(own.provenTo).toBe(devices[0]!.range.size);
    expect(own.findings.filter(({ kind }) => kind !== 'unproven')).toEqual([]);
  });

  it('reads past lines that are none of ours, and tells of them', async () => {
    const lines = ['', 'not JSON', '{"a":1}', '{"specversion":"1.0","id":', ...feeds.get('cloudevents')!];
    const report = await verified([...lines, 'x'.repeat(700_000)]);
    expect(report.unreadableCount).toBe(4);
    expect(report.unreadable[0]).toMatchObject({ reason: 'it is not JSON' });
    expect(exitCodeOf(report)).toBe(19);
  });
});
