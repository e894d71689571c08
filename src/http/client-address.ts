/**
 * The address a request came from: the one place that reads `X-Forwarded-For`, and it believes only what a trusted proxy wrote
 * there. Limits count by it.
 */
import type { IncomingMessage } from 'node:http';
import { createNetworks, isInside, parseAddress } from '../kernel/addresses.ts';
import type { Address } from '../kernel/addresses.ts';
import type { Logger } from '../kernel/logger.ts';

/** The address of a caller that has none, such as one on a Unix socket. */
const UNKNOWN = 'unknown';
const MOST_REPORTED = 20;
/** Hops that are looked at; more is no chain of proxies. */
const MOST_HOPS = 32;

/** @returns the client's address in one spelling per address, or `unknown`. */
export type ClientAddress = (req: Pick<IncomingMessage, 'headers' | 'socket'>) => string;

interface Needs {
  /** The proxies whose word counts: addresses, networks, `loopback`, `private`. */
  trusted: string[];
  log: Logger;
}

/** An entry of `X-Forwarded-For`; some proxies leave brackets and the port on. */
function parseHop(text: string): Address | null {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return parseAddress(bare);
}

/** Whether a request came by a trusted proxy, whose other headers count too. */
export function createFromProxy(trusted: string[]): (req: Pick<IncomingMessage, 'socket'>) => boolean {
  const isTrusted = createNetworks(trusted);
  return ({ socket }) => {
    const peer = parseAddress(socket.remoteAddress ?? '');
    return peer !== null && isTrusted(peer);
  };
}

export function createClientAddress({ trusted, log }: Needs): ClientAddress {
  const isTrusted = createNetworks(trusted);
  const reported = new Set<string>();

  /** A proxy that nobody told us of: then all people share one address, and one budget of tries. */
  function report(peer: Address): void {
    const from = peer.toString();
    if (!isInside(peer) || reported.has(from) || reported.size >= MOST_REPORTED) return;
    reported.add(from);
    log.warn(
      { peer: from, setting: 'trusted_proxies' },
      `a proxy at ${from} passes requests on but is not trusted, so everybody behind it counts as one address: ` +
        'set trusted_proxies (GATEHOUSE_TRUSTED_PROXIES) to the address of your proxy',
    );
  }

  return ({ headers, socket }) => {
    const peer = parseAddress(socket.remoteAddress ?? '');
    if (!peer) return UNKNOWN;
    const forwarded = headers['x-forwarded-for'];
    if (forwarded === undefined) return peer.toString();
    if (!isTrusted(peer)) {
      report(peer);
      return peer.toString();
    }
    // From the right: each trusted proxy vouches for the one hop it wrote down. What stands left of a hop that is not trusted,
    // or is no address, is the caller's own word.
    let client = peer;
    for (const hop of [forwarded].flat().join(',').split(',').slice(-MOST_HOPS).reverse()) {
      const address = parseHop(hop.trim());
      if (!address) break;
      client = address;
      if (!isTrusted(address)) break;
    }
    return client.toString();
  };
}
