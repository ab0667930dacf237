import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A block of addresses, IPv4 or IPv6. An IPv4-mapped IPv6 block is the IPv4 block. */
export type Network = { readonly address: Address; readonly bits: number };

/** A CIDR, or one address, or `null` for what is neither. Host bits that are set make it neither: a typo. */
export function parseNetwork(text: string): Network | null {
  const [, base, length] = /^([^/]+?)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const parsed = base === undefined ? null : readAddress(base);
  if (parsed === null) return null;
  const width = widthOf(parsed);
  const bits = length === undefined ? width : Number(length);
  if (bits > width || hasHostBits(parsed, bits)) return null;
  if (!isMapped(parsed)) return { address: parsed, bits };
  return bits < 96 ? null : { address: parsed.toIPv4Address(), bits: bits - 96 };
}

/** Whether `address` lies in one of `networks`. Text that is no address lies in none. */
export function isWithin(address: string, networks: readonly Network[]): boolean {
  const parsed = parseAddress(address);
  if (parsed === null) return false;
  return networks.some((network) => sharesPrefix(parsed, network));
}

function sharesPrefix(address: Address, network: Network): boolean {
  const bytes = address.toByteArray();
  const base = network.address.toByteArray();
  if (bytes.length !== base.length) return false;
  return bytes.every((byte, i) => ((byte ^ base[i]!) & maskOf(i, network.bits)) === 0);
}

/** The bits of byte `i` that belong to a prefix of `bits`. */
function maskOf(i: number, bits: number): number {
  return 0xff & ~(0xff >> Math.min(Math.max(bits - i * 8, 0), 8));
}

/** Stands for the address of a client that a trusted proxy did not name. It lies in no network. */
const UNKNOWN_ADDRESS = 'unknown';

/**
 * The client's address as far as it can be believed: the connection's peer or, where that is a trusted proxy,
 * the right-most address of `X-Forwarded-For` that is no trusted proxy itself. What stands left of it is a claim and
 * changes nothing. Where a proxy names nobody, or something that is no address, the client is
 * {@link UNKNOWN_ADDRESS}: taken for the proxy, everybody would be in the network that the proxy stands in.
 */
export function observedAddress(
  peer: string,
  forwardedFor: string | undefined,
  trusted: readonly Network[],
): string {
  const hops = forwardedFor?.split(',') ?? [''];
  let address = canonical(peer) ?? peer;
  while (hops.length > 0 && isWithin(address, trusted)) {
    address = canonical(withoutPort(hops.pop()!.trim())) ?? UNKNOWN_ADDRESS;
  }
  return address;
}

/** Some proxies write the client's port too: `192.0.2.1:4711`, `[2001:db8::7]:4711`. */
function withoutPort(hop: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+))(?::[0-9]{1,5})?$/.exec(hop) ?? [];
  return bracketed ?? plain ?? hop;
}

function canonical(text: string): string | null {
  return parseAddress(text)?.toString() ?? null;
}

function parseAddress(text: string): Address | null {
  const parsed = readAddress(text);
  return parsed !== null && isMapped(parsed) ? parsed.toIPv4Address() : parsed;
}

/** Only the ordinary spellings: `10.1` and `0x7f.1` are addresses to some parsers and names to others. */
function readAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  // A zone (`fe80::1%eth0`) means something on one machine only.
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text);
  return null;
}

function isMapped(address: Address): address is ipaddr.IPv6 {
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress();
}

function widthOf(address: Address): number {
  return address.kind() === 'ipv4' ? 32 : 128;
}

function hasHostBits(address: Address, bits: number): boolean {
  return address.toByteArray().some((byte, i) => (byte & ~maskOf(i, bits)) !== 0);
}

/** What one sender is counted under: an IPv4 address, or the /64 that an IPv6 host can choose its addresses from. */
export function senderOf(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === null || parsed.kind() === 'ipv4') return address;
  return parsed.toByteArray().slice(0, 8).join('.');
}
