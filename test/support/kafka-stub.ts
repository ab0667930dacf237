import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { FrameSplitter, requestHeadOf } from './kafka-proxy/frames.ts';

const API = { produce: 0, fetch: 1, metadata: 3, apiVersions: 18, initProducerId: 22 } as const;
const VERSIONS_MAX = {
  [API.produce]: 7,
  [API.fetch]: 0,
  [API.metadata]: 6,
  [API.apiVersions]: 1,
  [API.initProducerId]: 1,
};
const NODE_ID = 1;

/** What a stub answers to a Produce request: an error code of the protocol, and an offset. */
type ProduceAnswer = { readonly code: number; readonly baseOffset?: bigint };

export type KafkaStub = {
  /** `host:port` */
  readonly place: string;
  /** The batches that came, byte for byte. */
  readonly batches: Buffer[];
  /** What the next Produce requests are answered, in order; after that, success. */
  readonly answers: ProduceAnswer[];
  /** Who leads each partition, by place; `null` for nobody. */
  leaders: readonly (string | null)[];
  /** What it does with whoever connects. */
  manner: 'answers' | 'is-silent' | 'ends-connections';
  /** How many connections it has taken. */
  readonly taken: () => number;
  /** Those that it still has, in the order in which it took them. */
  readonly open: () => readonly Socket[];
  /** How many Fetch requests came. */
  readonly fetches: () => number;
  readonly close: () => Promise<void>;
};

/** What says what it is told to, where a real broker cannot be brought to: codes of old ones, and silence. */
export async function startKafkaStub(topic: string, port = 0): Promise<KafkaStub> {
  const open = new Set<Socket>();
  let connections = 0;
  let fetches = 0;
  const server = createServer((socket) => {
    connections++;
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    if (stub.manner === 'ends-connections') {
      // Read on, or the other side's end is never seen.
      socket.resume().end();
      return;
    }
    const splitter = new FrameSplitter();
    socket.on('data', (chunk: Buffer) => {
      for (const frame of splitter.push(chunk)) {
        if (requestHeadOf(frame).apiKey === API.fetch) fetches++;
        if (stub.manner === 'answers') socket.write(answerOf(stub, topic, frame));
        else if (stub.manner === 'ends-connections') socket.end();
      }
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stub: KafkaStub = {
    place,
    batches: [],
    answers: [],
    leaders: [place],
    manner: 'answers',
    taken: () => connections,
    open: () => [...open],
    fetches: () => fetches,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return stub;
}

function answerOf(stub: KafkaStub, topic: string, frame: Buffer): Buffer {
  const { apiKey, correlationId } = requestHeadOf(frame);
  const body = Buffer.concat([int32(correlationId), ...bodyOf(stub, topic, apiKey, frame)]);
  return Buffer.concat([int32(body.length), body]);
}

function bodyOf(stub: KafkaStub, topic: string, apiKey: number, frame: Buffer): Buffer[] {
  switch (apiKey) {
    case API.apiVersions: {
      const apis = Object.entries(VERSIONS_MAX);
      const rows = apis.flatMap(([key, max]) => [int16(Number(key)), int16(0), int16(max)]);
      return [int16(0), int32(apis.length), ...rows, int32(0)];
    }
    case API.initProducerId:
      return [int32(0), int16(0), int64(4_000n), int16(0)];
    case API.fetch:
      // Of no record, and so of whichever partition was asked for.
      return [int32(1), text(topic), int32(1), int32(0), int16(0), int64(0n), int32(0)];
    case API.metadata:
      return metadata(stub, topic);
    case API.produce: {
      stub.batches.push(batchOf(frame));
      const { code, baseOffset = code === 0 ? 7n : -1n } = stub.answers.shift() ?? { code: 0 };
      const partition = [int32(0), int16(code), int64(baseOffset), int64(-1n), int64(0n)];
      return [int32(1), text(topic), int32(1), ...partition, int32(0)];
    }
    default:
      throw new Error(`a stub does not answer requests of kind ${apiKey}`);
  }
}

function metadata({ place, leaders }: KafkaStub, topic: string): Buffer[] {
  const places = [...new Set([place, ...leaders.filter((leader) => leader !== null)])];
  const brokers = places.flatMap((at, i) => [
    int32(NODE_ID + i),
    text(at.split(':')[0]!),
    int32(Number(at.split(':')[1])),
    int16(-1),
  ]);
  const partitions = leaders.flatMap((leader, id) => [
    // LEADER_NOT_AVAILABLE
    int16(leader === null ? 5 : 0),
    int32(id),
    int32(leader === null ? -1 : NODE_ID + places.indexOf(leader)),
    int32(0),
    int32(0),
    int32(0),
  ]);
  const head = [int32(0), int32(places.length), ...brokers, int16(-1), int32(NODE_ID)];
  return [...head, int32(1), int16(0), text(topic), int8(0), int32(leaders.length), ...partitions];
}

/** The one batch of a Produce request, version 7. */
function batchOf(frame: Buffer): Buffer {
  const client = frame.readInt16BE(12);
  const transaction = 14 + client;
  const topic = transaction + 2 + 2 + 4 + 4;
  const bytes = topic + 2 + frame.readInt16BE(topic) + 4 + 4;
  return Buffer.from(frame.subarray(bytes + 4, bytes + 4 + frame.readInt32BE(bytes)));
}

function int8(value: number): Buffer {
  return Buffer.from([value]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}
