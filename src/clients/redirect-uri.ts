import { isLoopback } from '../kernel/urls.ts';
import type { ClientType } from './client.ts';

const FORBIDDEN_SCHEMES = new Set(['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:']);
const PLAIN = /^[\x21-\x7e]+$/;
const AUTHORITY = /^https?:\/\/([^/?]*)/i;
const REVERSED_DOMAIN = /^[a-z]{2,}(\.[a-z\d]([a-z\d-]*[a-z\d])?)+:$/;

/** Whether every reader finds the same host: some take what stands before an `@`, or behind a backslash. */
const isPlainHost = (uri: string, url: URL) =>
  AUTHORITY.exec(uri)?.[1]?.toLowerCase().replace(/:\d*$/, '') === url.hostname;

/**
 * What speaks against registering a redirect URI, or undefined. Redirect URIs are compared as exact text (RFC 9700,
 * section 2.1), so whatever could be read in two ways is refused; the port of a native client's loopback address is free
 * (RFC 8252, section 7.3), and its private-use scheme must be a reversed domain name (section 7.1).
 */
export function redirectUriProblem(uri: string, type: ClientType): string | undefined {
  if (!PLAIN.test(uri)) return 'must be plain ASCII without spaces';
  const url = URL.parse(uri);
  if (!url) return 'is not an absolute URI';
  if (uri.includes('#')) return 'must not have a fragment';
  if (uri.includes('*')) return 'must not have a wildcard: redirect URIs are compared exactly';
  if (url.username || url.password) return 'must not have a user name';
  if (FORBIDDEN_SCHEMES.has(url.protocol)) return `must not use ${url.protocol}`;
  if (uri.includes('\\')) return 'must not have a backslash';
  if (/^https?:$/.test(url.protocol) && !isPlainHost(uri, url)) return 'must name its host plainly';
  if (url.protocol === 'https:') {
    return type === 'native' && isLoopback(url) ? 'must use http: nobody certifies localhost' : undefined;
  }
  if (url.protocol === 'http:') return isLoopback(url) ? undefined : 'must use https (http is for localhost only)';
  if (type !== 'native') return 'must use https';
  return REVERSED_DOMAIN.test(url.protocol)
    ? undefined
    : 'must use a reversed domain name as its scheme, such as com.example.app:/callback';
}
