import { describe, expect, it } from '@jest/globals';
import { isWithin, observedAddress, parseNetwork, senderOf, type Network } from '../../src/core/network.ts';

function networks(...cidrs: string[]): Network[] {
  return cidrs.map((cidr) => parseNetwork(cidr)!);
}

describe('a network', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.0.0.0', '10.0.0.0/8', false],
    ['10.128.0.1', '10.128.0.0/9', true],
    ['10.127.255.255', '10.128.0.0/9', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '0.0.0.0/0', true],
    ['::1', '0.0.0.0/0', false],
    ['2001:db8:0:1::7', '2001:db8::/32', true],
    ['2001:db9::7', '2001:db8::/32', false],
    ['2001:DB8::7', '2001:db8::/33', true],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['not an address', '0.0.0.0/0', false],
    ['', '::/0', false],
  ])('%s in %s: %s', (address, cidr, expected) => {
    expect(isWithin(address, networks(cidr))).toBe(expected);
  });

  it.each([
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0/8',
    '0x0a.0.0.0/8',
    '010.0.0.0/8',
    '2001:db8::1/32',
    '::/129',
    'fe80::1%eth0',
    '::ffff:0:0/95',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'example.com',
    '',
  ])('is not %j', (text) => {
    expect(parseNetwork(text)).toBeNull();
  });
});

describe('the observed address', () => {
  const proxies = networks('10.0.0.0/8', 'fd00::/8');

  it.each([
    ['a peer that is no proxy is the client, whatever it claims', '192.0.2.1', '10.9.9.9', '192.0.2.1'],
    ['behind a proxy, what the proxy saw', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['behind two proxies, what the outer one saw', '10.0.0.1', '192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['a claim left of what the proxy saw is nothing', '10.0.0.1', '203.0.113.9, 192.0.2.1', '192.0.2.1'],
    ['a claim to be a trusted proxy is nothing', '10.0.0.1', '10.7.7.7, 192.0.2.1', '192.0.2.1'],
    ['without a header, nobody knows', '10.0.0.1', undefined, 'unknown'],
    ['what is no address ends the search', '10.0.0.1', '192.0.2.1, example.com', 'unknown'],
    ['an empty header names nobody', '10.0.0.1', '', 'unknown'],
    ['a port is no part of the address', '10.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
    ['nor behind an IPv6 address', '10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['brackets alone are none either', '10.0.0.1', '[2001:db8::7]', '2001:db8::7'],
    ['where all are proxies, the outermost', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['IPv4 in IPv6 is IPv4', '::ffff:10.0.0.1', '::ffff:192.0.2.1', '192.0.2.1'],
    ['IPv6 behind an IPv6 proxy', 'fd00::1', '2001:db8::7', '2001:db8::7'],
  ])('%s', (_claim, peer, forwarded, expected) => {
    expect(observedAddress(peer, forwarded, proxies)).toBe(expected);
  });
});

describe('a sender', () => {
  it('is an IPv4 address or a /64', () => {
    expect(senderOf('192.0.2.1')).not.toBe(senderOf('192.0.2.2'));
    expect(senderOf('2001:db8::1')).toBe(senderOf('2001:db8::ffff:1'));
    expect(senderOf('2001:db8:0:1::1')).not.toBe(senderOf('2001:db8::1'));
  });
});
