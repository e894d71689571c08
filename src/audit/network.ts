import { parseAddress } from '../kernel/addresses.ts';

const IPV4_OCTETS = 3;
const IPV6_GROUPS = 3;

/** Part of an address: enough to recognise one's own, too little to find a household by. */
export function networkPart(text: string): string | null {
  const address = parseAddress(text);
  if (!address) return null;
  if (address.kind() === 'ipv4') return `${address.toString().split('.').slice(0, IPV4_OCTETS).join('.')}.0/24`;
  const groups = address.toByteArray().reduce<string[]>((all, byte, index, bytes) => {
    if (index % 2 === 0) all.push(((byte << 8) | bytes[index + 1]!).toString(16));
    return all;
  }, []);
  return `${groups.slice(0, IPV6_GROUPS).join(':')}::/48`;
}
