import { isIPv4, isIPv6 } from 'node:net';
import { textIn, type Reading } from './reading.ts';

type ClientIp = { readonly version: 4 | 6; readonly text: string };

/**
 * The address of the client that a sign-in or a use names, if it is one: a destination refuses the whole event for
 * an address that is none. With a zone it is none outside of its machine.
 */
export function clientIpOf(reading: Reading): ClientIp | undefined {
  const text = textIn(reading, 'client', 'ip_address') ?? textIn(reading, 'address');
  if (text === undefined) return undefined;
  if (isIPv4(text)) return { version: 4, text };
  return isIPv6(text) && !text.includes('%') ? { version: 6, text } : undefined;
}
