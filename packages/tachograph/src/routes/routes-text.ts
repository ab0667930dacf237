import { open, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { EXPORT_LIMITS } from '@tachograph/siem-export';
import { errorCode, errorMessage } from '../error-code.ts';

/** What stands in the file of routes. */
export type RoutesText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Reads the file, at most one byte more than it may have: whoever reads the text then sees that it is too long. */
export async function readRoutesText(file: string): Promise<RoutesText> {
  let handle: FileHandle | null = null;
  try {
    // Without O_NONBLOCK a named pipe would keep the reader waiting for somebody to write.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await handle.stat();
    if (!status.isFile()) return { kind: 'unreadable', reason: 'it is no file' };
    const bytes = await readUpTo(handle, Math.min(status.size, EXPORT_LIMITS.routesFileBytesMax) + 1);
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { kind: 'none' };
    const reason =
      errorCode(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not in UTF-8' : errorMessage(error);
    return { kind: 'unreadable', reason };
  } finally {
    await handle?.close();
  }
}

async function readUpTo(handle: FileHandle, bytesMax: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytesMax);
  let length = 0;
  while (length < bytesMax) {
    const { bytesRead } = await handle.read(buffer, length, bytesMax - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
