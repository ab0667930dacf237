/** Requests that faults and counts are named by. Others pass, and are not counted. */
export const API_KEYS = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  findCoordinator: 10,
  apiVersions: 18,
  initProducerId: 22,
} as const;

export type ApiName = keyof typeof API_KEYS;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(API_KEYS).map(([name, key]) => [key, name]),
);

const LENGTH_BYTES = 4;
/** The broker's own bound (`socket.request.max.bytes`): more means that this is not Kafka's protocol. */
const FRAME_BYTES_MAX = 100 * 1024 * 1024;

/** What every request begins with, in all versions of all requests. */
export type RequestHead = {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
};

/** The name of a request, where it has one here. */
export function apiNameOf({ apiKey }: RequestHead): ApiName | null {
  const name = NAMES.get(apiKey);
  return isApiName(name) ? name : null;
}

/** Cuts one direction of a connection into Kafka's frames: a length (int32), and as many bytes. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * The frames that are whole by now, each with its length in front.
   * @throws RangeError where what comes is not Kafka's protocol
   */
  push(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    while (this.#rest.length >= LENGTH_BYTES) {
      const length = this.#rest.readInt32BE();
      if (length < 0 || length > FRAME_BYTES_MAX) throw new RangeError(`a frame of ${length} bytes`);
      const end = LENGTH_BYTES + length;
      if (this.#rest.length < end) break;
      frames.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}

/** @throws RangeError where the frame is too short to be a request */
export function requestHeadOf(frame: Buffer): RequestHead {
  return {
    apiKey: frame.readInt16BE(LENGTH_BYTES),
    apiVersion: frame.readInt16BE(LENGTH_BYTES + 2),
    correlationId: frame.readInt32BE(LENGTH_BYTES + 4),
  };
}

/** Which request a response answers. */
export function correlationIdOf(response: Buffer): number {
  return response.readInt32BE(LENGTH_BYTES);
}

function isApiName(name: string | undefined): name is ApiName {
  return name !== undefined && name in API_KEYS;
}
