import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { HEADER } from '@tachograph/event-log';
import { describeSinkContract } from '../../../../test/contracts/sink.contract.ts';
import { makeAuthority, type Authority, type Certificate } from '../../../../test/support/certificates.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { nodeFiles } from '../../src/files/file-system.ts';
import { secretReader } from '../../src/secret.ts';
import { syslogDefinition, syslogSink } from '../../src/sinks/syslog.ts';
import type { Delivery, OpenSink } from '../../src/sinks/sink.ts';
import { exportEvent } from '../support/export-event.ts';
import { FastClock, keepingLogger } from '../support/surroundings.ts';
import { messagePart, syslogServer, type SyslogServer } from '../support/syslog-server.ts';
import { eventLeaf } from '../support/test-device.ts';

const TIME = '2026-11-22T10:00:00.123Z';
const signal = new AbortController().signal;

const deliveries = (from: number, count: number): Delivery[] =>
  Array.from({ length: count }, (_, i) => ({
    event: exportEvent(eventLeaf(from + i), { [HEADER.id]: `device/${from + i}/0123456789ab` }),
    line: `line ${from + i} é`,
    time: TIME,
  }));

function open(config: object): Promise<OpenSink> {
  return syslogSink.open(config, {
    format: 'cef',
    exportDir: '',
    files: nodeFiles,
    clock: new FastClock(),
    logger: keepingLogger(),
    readSecret: secretReader({}),
    marks: [],
  });
}

let dir: Awaited<ReturnType<typeof tempDir>>;
let authority: Authority;
let certificate: Certificate;
beforeAll(async () => {
  dir = await tempDir();
  authority = makeAuthority(dir.path, 'syslog');
  certificate = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
});
afterAll(() => dir.remove());

describeSinkContract('syslog', async () => {
  const server = await syslogServer(certificate);
  const validConfig = {
    type: 'syslog',
    host: 'localhost',
    port: server.port,
    tls: { caFile: authority.cert },
  };
  let sent = 0;
  return {
    sink: syslogSink,
    validConfig,
    open: () => open(validConfig),
    deliveries: (from, count) => {
      sent = Math.max(sent, from + count);
      return deliveries(from, count);
    },
    // Nothing says that the receiver has read it: it is waited for. What came twice is told by its id, as on the page.
    received: async () => {
      const texts = (): string[] => [...new Set(server.messages.map(messagePart))];
      await eventually('the messages', () => (texts().length >= sent ? true : null));
      return texts();
    },
    breakOnce: () => server.breakOnce(),
    destroy: () => server.stop(),
  };
});

describe('the sink syslog', () => {
  let server: SyslogServer;
  let sink: OpenSink | undefined;
  beforeEach(async () => {
    server = await syslogServer(null);
  });
  afterEach(async () => {
    await sink?.close();
    sink = undefined;
    await server.stop();
  });
  const configOf = (extra: object = {}) => ({
    type: 'syslog',
    host: '127.0.0.1',
    port: server.port,
    transport: 'tcp',
    ...extra,
  });
  const came = (count: number): Promise<true> =>
    eventually(`${count} messages`, () => (server.messages.length >= count ? true : null));

  it('writes RFC 5424: priority, time, device, action, and what names the event as structured data', async () => {
    sink = await open(configOf());
    await sink.deliver(deliveries(7, 1), signal);
    await came(1);
    expect(server.messages[0]).toBe(
      `<110>1 ${TIME} audit.example.com/acme/device tachograph - item.reveal ` +
        '[tachograph@32473 id="device/7/0123456789ab" tenant="acme" log="audit.example.com/acme/device" ' +
        'sequence="7" received="2026-11-22T10:00:05.000Z" occurred="2026-11-22T10:00:00.123Z"] line 7 é',
    );
  });

  it('counts octets and not characters, escapes what would end a value, and keeps fields printable', () => {
    const config = syslogDefinition.config.parse(configOf());
    const [delivery] = deliveries(0, 1);
    const event = exportEvent(eventLeaf(0), {
      [HEADER.type]: 'an action with spaces and more than thirty-two characters',
      [HEADER.tenant]: 'a"b]c\\d',
    });
    const [bytes] = syslogDefinition.encode([{ ...delivery!, event, line: 'ü€😀' }], config);
    const text = Buffer.from(bytes!).toString();
    const [length] = text.split(' ', 1);
    expect(Number(length)).toBe(bytes!.length - length!.length - 1);
    expect(text).toContain('tenant="a\\"b\\]c\\\\d"');
    expect(text).toContain(' an_action_with_spaces_and_more_t [');
    const [lineEnded] = syslogDefinition.encode([delivery!], { ...config, framing: 'newline' });
    expect(lineEnded!.at(-1)).toBe(0x0a);
  });

  it('warns of what is no event, and of what the exporter found', () => {
    const config = syslogDefinition.config.parse(configOf());
    const priority = (headers: Record<string, string>): string => {
      const event = exportEvent(eventLeaf(0), headers);
      const [bytes] = syslogDefinition.encode([{ ...deliveries(0, 1)[0]!, event }], config);
      return /<(\d+)>/.exec(Buffer.from(bytes!).toString())![1]!;
    };
    expect(priority({})).toBe('110');
    expect(priority({ [HEADER.rejected]: 'ERR_LEAF_JSON' })).toBe('108');
    expect(priority({ ce_subject: 'audit.example.com/acme/device' })).toBe('108');
  });

  it('rejects what is longer than the receiver takes, and sends its neighbours', async () => {
    sink = await open(configOf({ messageBytesMax: 1_000 }));
    const batch = deliveries(0, 3);
    batch[1] = { ...batch[1]!, line: 'x'.repeat(1_000) };
    const outcomes = await sink.deliver(batch, signal);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'reject', 'delivered']);
    await came(2);
  });

  it('writes the last messages of a connection that died once more, without waiting for the next event', async () => {
    sink = await open(configOf({ overlapEvents: 3 }));
    await sink.deliver(deliveries(0, 5), signal);
    await came(5);
    await server.breakOnce();
    await came(8);
    expect(server.messages.slice(5).map(messagePart)).toEqual(deliveries(2, 3).map(({ line }) => line));
  });

  it('does not trust a receiver of another authority', async () => {
    const tls = await syslogServer(certificate);
    sink = await open({ ...configOf(), port: tls.port, transport: 'tls' });
    const [outcome] = await sink.deliver(deliveries(0, 1), signal);
    expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/certificate/) });
    await tls.stop();
  });

  it('sends a datagram an event over UDP', async () => {
    const receiver = createSocket('udp4').bind(0, '127.0.0.1');
    await once(receiver, 'listening');
    const datagrams: string[] = [];
    receiver.on('message', (bytes: Buffer) => datagrams.push(bytes.toString()));
    sink = await open(configOf({ transport: 'udp', port: receiver.address().port }));
    await sink.deliver(deliveries(0, 3), signal);
    await eventually('three datagrams', () => (datagrams.length >= 3 ? true : null));
    expect(datagrams.map(messagePart)).toEqual(deliveries(0, 3).map(({ line }) => line));
    expect(datagrams[0]).toMatch(/^<110>1 /);
    receiver.close();
  });
});
