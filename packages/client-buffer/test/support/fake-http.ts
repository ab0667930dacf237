import type { Bytes } from '@tachograph/wire';

export type Json = { [name: string]: unknown };
export type Reply = { status: number; json: Json; headers?: { [name: string]: string } };

export function problem(status: number, code: string, more: Json = {}): Reply {
  return { status, json: { type: 'about:blank', title: code, status, code, detail: code, ...more } };
}

/** The body as it was before compression, which its magic bytes tell. */
export async function inflate(request: Request): Promise<Bytes> {
  const body = new Uint8Array(await request.arrayBuffer());
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body;
  const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
