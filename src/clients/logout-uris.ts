import { isLoopback } from '../kernel/urls.ts';
import type { NewClient } from './input.ts';
import { redirectUriProblem } from './redirect-uri.ts';

type Problem = [message: string, field: string];

const originOf = (uri: string) => URL.parse(uri)?.origin;

/** http is for this very machine only, whatever the type. */
function addressProblem(uri: string): string | undefined {
  const url = URL.parse(uri);
  return url?.protocol === 'https:' && isLoopback(url) ? undefined : redirectUriProblem(uri, 'web');
}

/**
 * What speaks against the log-out addresses of a client: they are https (http on loopback), without fragment; the one for frames has
 * the origin of a redirect URI (Front-Channel Logout 1.0, section 2), so that a page of ours never frames a stranger.
 */
export function logoutProblem(input: NewClient): Problem | undefined {
  const { type, backchannel_logout_uri: back, frontchannel_logout_uri: front, redirect_uris = [] } = input;
  for (const [field, uri] of [
    ['backchannel_logout_uri', back],
    ['frontchannel_logout_uri', front],
  ] as const) {
    if (uri === undefined) {
      const required = field.replace('_uri', '_session_required') as 'backchannel_logout_session_required';
      if (input[required]) return [`${required} is of no use without ${field}`, required];
      continue;
    }
    if (type === 'service' || type === 'api') return [`nobody signs in to a client of type ${type}`, field];
    const problem = addressProblem(uri);
    if (problem) return [`${uri} ${problem}`, field];
  }
  if (front === undefined) return undefined;
  if (type === 'native') return ['a native app has no page to be framed', 'frontchannel_logout_uri'];
  return redirect_uris.some((uri) => originOf(uri) === originOf(front))
    ? undefined
    : [`${front} must have the scheme, host and port of a redirect URI`, 'frontchannel_logout_uri'];
}
