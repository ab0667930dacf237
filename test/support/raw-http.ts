import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

export type RawAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: { readonly [name: string]: unknown };
};

/** Writes bytes that no HTTP client would send, and reads what comes back until the connection ends. */
export async function rawExchange(port: number, write: (socket: Socket) => void): Promise<RawAnswer> {
  const socket = connect(port, 'localhost');
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const failures: Error[] = [];
  socket.on('error', (error) => failures.push(error));
  // Not by `once`, which an error would end before what was said is read.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  write(socket);
  await closed;
  // A peer that closes while we still write resets the connection; what it had said before counts all the same.
  if (text === '') throw new Error('the connection ended without an answer', { cause: failures[0] });
  return parseAnswer(text);
}

function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(head)?.[1]);
  const contentType = /\r\ncontent-type: ([^\r]+)/i.exec(head)?.[1] ?? '';
  return { status, contentType, body: JSON.parse(rest.join('\r\n\r\n')) as RawAnswer['body'] };
}
