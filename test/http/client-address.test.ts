import { describe, expect, it } from 'vitest';
import { createClientAddress } from '../../src/http/client-address.ts';
import { networkOf } from '../../src/kernel/addresses.ts';

const silent = { error: () => undefined, warn: () => undefined, info: () => undefined };

function addressOf(trusted: string[], remoteAddress: string | undefined, forwarded?: string | string[]) {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded as string };
  return createClientAddress({ trusted, log: silent })({ headers, socket: { remoteAddress } as never });
}

describe('the address of a client', () => {
  it.each([
    ['the peer, without a proxy', [], '203.0.113.7', undefined, '203.0.113.7'],
    ['the peer, when nobody is trusted', [], '127.0.0.1', '198.51.100.1', '127.0.0.1'],
    ['the peer, when another proxy is trusted', ['10.0.0.1'], '10.0.0.2', '198.51.100.1', '10.0.0.2'],
    ['IPv4, also written as IPv6', [], '::ffff:203.0.113.7', undefined, '203.0.113.7'],
    ['without a zone', [], 'fe80::1%eth0', undefined, 'fe80::1'],
    ['the hop that a trusted proxy wrote', ['loopback'], '127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['of a proxy that speaks IPv6', ['loopback'], '::1', '2001:db8::5', '2001:db8::5'],
    ['of a proxy written as IPv6', ['127.0.0.1'], '::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    [
      'the rightmost that is not trusted',
      ['loopback', 'private'],
      '127.0.0.1',
      '1.1.1.1, 2.2.2.2, 10.0.0.1',
      '2.2.2.2',
    ],
    ['the outermost proxy, if all are trusted', ['loopback', 'private'], '127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['the proxy, when it wrote no address', ['loopback'], '127.0.0.1', '198.51.100.1, unknown', '127.0.0.1'],
    ['the proxy, when it wrote nothing', ['loopback'], '127.0.0.1', '', '127.0.0.1'],
    ['without a port', ['loopback'], '127.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['without brackets and port', ['loopback'], '127.0.0.1', '[2001:db8::5]:4711', '2001:db8::5'],
    ['not a number that some take for an address', ['loopback'], '127.0.0.1', '3405803783', '127.0.0.1'],
    ['not octal', ['loopback'], '127.0.0.1', '0177.0.0.1', '127.0.0.1'],
    ['from a header sent twice', ['loopback'], '127.0.0.1', ['1.1.1.1', '2.2.2.2'], '2.2.2.2'],
    ['of a network', ['10.0.0.0/8', 'fd00::/8'], 'fd12::1', '198.51.100.1, 10.9.8.7', '198.51.100.1'],
    ['of nobody, on a socket without addresses', ['loopback'], undefined, '198.51.100.1', 'unknown'],
  ])('is %s', (_what, trusted, peer, forwarded, expected) => {
    expect(addressOf(trusted, peer, forwarded)).toBe(expected);
  });

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
