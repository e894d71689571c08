const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a URL's host is this very machine (RFC 8252, section 7.3). */
export const isLoopback = (url: URL): boolean => LOOPBACK.has(url.hostname);

/** The path of the issuer without its final slash: `''` or such as `/auth`. */
export const issuerPath = (issuer: string): string => new URL(issuer).pathname.replace(/\/$/, '');

/** Where an app begins a sign-in for whoever comes from us (OpenID Connect Core, section 4). */
export function initiateLoginUrl(uri: string, issuer: string): string {
  const url = new URL(uri);
  url.searchParams.set('iss', issuer);
  return url.href;
}

/** The host of a URL for people to read, or null where it has none to speak of (private-use schemes). */
export function displayHost(uri: string | undefined): string | null {
  const url = uri === undefined ? null : URL.parse(uri);
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.host : null;
}
