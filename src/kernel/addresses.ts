/** Network addresses: read strictly, compared with networks, and counted by what belongs to one household or server. */
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Names for networks that need not be remembered as numbers. */
const NAMED: Record<string, string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};
const INSIDE = new Set(['loopback', 'private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat']);
/** Groups of an IPv6 address that name the network of one household or server: /64. */
const NETWORK_GROUPS = 4;
const MAPPED_BITS = 96;

/** Reading one takes 3 us, and nearly every request comes from an address that was read before. */
const MOST_KNOWN = 1000;
/** Characters of an IPv6 address with an IPv4 one at its end and a zone: what is longer is none. */
const LONGEST = 64;
const known = new Map<string, Address | null>();
const networks = new Map<string, string>();

/**
 * An address as text, null where it is none. An IPv4 address written as IPv6 is that IPv4 address; a zone (`%eth0`) is dropped.
 * Four decimal parts only, for `ipaddr` also takes `1` and `0x7f000001`.
 */
export function parseAddress(text: string): Address | null {
  const before = known.get(text);
  if (before !== undefined) return before;
  const address = readAddress(text);
  if (known.size >= MOST_KNOWN) known.clear();
  if (text.length <= LONGEST) known.set(text, address);
  return address;
}

function readAddress(text: string): Address | null {
  const plain = text.replace(/%[^%]*$/, '');
  if (plain.includes(':') ? !ipaddr.isValid(plain) : !ipaddr.IPv4.isValidFourPartDecimal(plain)) return null;
  return ipaddr.process(plain);
}

/** Whether nobody browses from there over the internet: loopback, private and link-local networks. */
export const isInside = (address: Address): boolean => INSIDE.has(address.range());

/** Of IPv6 only this much is given to anybody (RFC 4291, section 2.4): the rest holds old forms of IPv4 addresses, among others. */
const GLOBAL = ipaddr.IPv6.parse('2000::');
const GLOBAL_BITS = 3;

/** Whether an address is one that is reached over the internet. @throws where it is none. */
export function isPublic(address: string): boolean {
  const found = ipaddr.process(address);
  return found.range() === 'unicast' && (found instanceof ipaddr.IPv4 || found.match(GLOBAL, GLOBAL_BITS));
}

/** Whether a host is a name, or a public address. */
export function isPublicLiteral(hostname: string): boolean {
  const literal = hostname.replace(/^\[|\]$/g, '');
  return !ipaddr.isValid(literal) || isPublic(literal);
}

function toRange(text: string): [Address, number] {
  const [plain = '', bits] = text.split('/');
  const address = parseAddress(plain);
  const length = address?.kind() === 'ipv4' ? 32 : 128;
  // A network of IPv4 addresses written as IPv6.
  const mapped = address?.kind() === 'ipv4' && plain.includes(':') ? MAPPED_BITS : 0;
  const prefix = bits === undefined ? length : Number(bits) - mapped;
  if (!address || !/^\d*$/.test(bits ?? '') || bits === '' || prefix < 0 || prefix > length)
    throw new TypeError(`${text} is no network`);
  return [address, prefix];
}

/**
 * @param entries addresses, networks such as `10.0.0.0/8`, and the names `loopback` and `private`.
 * @throws TypeError naming an entry that is none of these.
 */
export function createNetworks(entries: string[]): (address: Address) => boolean {
  const ranges = entries.flatMap((entry) => NAMED[entry] ?? [entry]).map(toRange);
  return (address) =>
    ranges.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));
}

/**
 * What counts as one address: an IPv4 address, or the /64 network of an IPv6 one, since whoever has one of its addresses has
 * 2^64. What is no address is itself.
 */
export function networkOf(text: string): string {
  const before = networks.get(text);
  if (before !== undefined) return before;
  const network = findNetwork(text);
  if (networks.size >= MOST_KNOWN) networks.clear();
  if (text.length <= LONGEST) networks.set(text, network);
  return network;
}

function findNetwork(text: string): string {
  const address = parseAddress(text);
  if (!(address instanceof ipaddr.IPv6)) return address?.toString() ?? text;
  return `${address.parts
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}
