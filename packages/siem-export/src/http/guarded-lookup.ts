import { lookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The destination's address is not one of the public Internet. */
class PrivateAddressError extends Error {
  constructor(host: string, address: string) {
    super(`${host} is ${address}, which is no public address`);
    this.name = 'PrivateAddressError';
  }
}

/** Resolves a name to every address that it has. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/**
 * Whether `address` is one of the public Internet. Everything that leads elsewhere under another spelling is not: IPv4 in
 * IPv6, translations (NAT64, 6to4, Teredo), shared and link-local ranges, where clouds keep their metadata.
 */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.parse(address).range() === 'unicast';
}

/** @throws PrivateAddressError where the host of `url` is written as an address that is not public */
export function refusePrivateLiteral(url: string): void {
  // The URL parser has spelt every way of writing an IPv4 address as four numbers.
  const host = new URL(url).hostname.replaceAll(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new PrivateAddressError(host, host);
}

/**
 * A resolver for connections to the public Internet only. The connection goes to the very address that was checked: a
 * name that resolves to another one the next time (DNS rebinding) is checked then.
 */
export function guardedLookup(resolve: Resolve = resolveAll): LookupFunction {
  return (host, options, callback) => {
    const answer = async (): Promise<void> => {
      let found: readonly LookupAddress[];
      try {
        found = await resolve(host);
        const bad = found.find(({ address }) => !isPublicAddress(address));
        if (bad !== undefined) throw new PrivateAddressError(host, bad.address);
        if (found[0] === undefined) throw new Error(`${host} has no address`);
      } catch (error) {
        callback(error instanceof Error ? error : new Error(String(error)), '', 0);
        return;
      }
      if (options.all === true) callback(null, [...found]);
      else callback(null, found[0].address, found[0].family);
    };
    void answer();
  };
}

function resolveAll(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true, verbatim: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}
