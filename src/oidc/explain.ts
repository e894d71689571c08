/**
 * Why a request of the protocol was refused, for the admin who looks its reference code up: what came in, what was expected, and the
 * first difference between them. What the public page says gives nothing of it away. No secret, code or token is in it, nor the
 * values of a query.
 */
import { distance } from 'fastest-levenshtein';
import { errors } from 'oidc-provider';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';

export type Explanation = Record<string, string>;

const TEXT_MAX = 300;
const LONGEST_COMPARED = 2000;
const MOST_SHOWN = 5;
const AROUND = 12;
/** What makes a text another one, or longer than it looks. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const ADDRESS = /[^\s@/:…]+@[^\s@/]+/g;

/** One line of visible text, e-mail addresses taken out. */
export function visible(value: unknown, max = TEXT_MAX): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const shown = text
    .slice(0, max * 2)
    .replace(INVISIBLE, '\u{FFFD}')
    .replace(ADDRESS, '…@…');
  return shown.length > max ? `${shown.slice(0, max)}…` : shown;
}

/** An address without what may be secret in it: user, password, and the values of its query. */
export function redactedUri(uri: string): string {
  const end = uri.search(/[?#]/);
  const bare = (end < 0 ? uri : uri.slice(0, end)).replace(/^([\w+.-]+:\/\/)[^/]*@/, '$1…@');
  if (end < 0) return visible(bare);
  const [query = '', fragment] = uri.slice(end).split('#', 2);
  const names = query
    .replace(/^\?/, '')
    .split('&')
    .filter((part) => part !== '')
    .map((part) => `${part.split('=')[0]}=…`);
  return visible(`${bare}${names.length > 0 ? `?${names.join('&')}` : ''}${fragment === undefined ? '' : '#…'}`);
}

/** Slips that look alike to people. */
function hintFor(came: string, registered: string): string | undefined {
  const [a, b] = [URL.parse(came), URL.parse(registered)];
  if (came.includes('#')) return 'a redirect URI has no fragment (#)';
  if (!a || !b) return undefined;
  if (came.replace(/\/$/, '') === registered.replace(/\/$/, '')) return 'only the slash at the end differs';
  if (a.protocol !== b.protocol && a.host === b.host) return `the scheme differs: ${a.protocol} and ${b.protocol}`;
  const loopback = ['localhost', '127.0.0.1', '[::1]'];
  if (loopback.includes(a.hostname) && loopback.includes(b.hostname) && a.hostname !== b.hostname)
    return `${a.hostname} and ${b.hostname} are not the same`;
  if (a.hostname === b.hostname && a.port !== b.port)
    return `the port differs: ${a.port || 'none'} and ${b.port || 'none'}`;
  if (came.toLowerCase() === registered.toLowerCase()) return 'only capital letters differ';
  if (a.pathname === b.pathname && a.search !== b.search && a.host === b.host) return 'only the query differs';
  return undefined;
}

/** @returns where the two begin to differ, in words. */
export function firstDifference(came: string, expected: string): string {
  let at = 0;
  while (at < came.length && at < expected.length && came[at] === expected[at]) at += 1;
  if (at === came.length && at === expected.length) return 'none';
  const part = (text: string) => (at >= text.length ? 'it ends' : `“${visible(text.slice(at, at + AROUND))}”`);
  return `at character ${at + 1}: came ${part(redactedUri(came))}, registered is ${part(redactedUri(expected))}`;
}

function ofRedirectUri(client: Client | undefined, value: unknown): Explanation {
  const registered = client?.redirectUris ?? [];
  if (typeof value !== 'string' || value === '')
    return {
      problem: 'no redirect_uri was sent, and the app has not exactly one',
      expected: registered.map(redactedUri).slice(0, MOST_SHOWN).join(' '),
    };
  const came = value.slice(0, LONGEST_COMPARED);
  const nearest = registered.toSorted((a, b) => distance(came, a) - distance(came, b));
  const [first] = nearest;
  return {
    problem: 'the redirect_uri is not registered for this app: the whole text must be the same',
    came: redactedUri(came),
    expected: nearest.slice(0, MOST_SHOWN).map(redactedUri).join(' ') || 'none is registered',
    ...(first === undefined
      ? {}
      : { difference: [firstDifference(came, first), hintFor(came, first)].filter(Boolean).join('; ') }),
  };
}

function ofClient(params: Record<string, unknown>): Explanation {
  const value = params['client_id'];
  if (value === undefined) return { problem: 'no client_id was sent', expected: 'the id of a registered app' };
  return {
    problem: 'no app with this client_id is registered',
    came: visible(value, 100),
    expected: 'an id such as the console and `client list` show it',
  };
}

function ofPkce(params: Record<string, unknown>): Explanation {
  const method = params['code_challenge_method'];
  return {
    problem: 'PKCE is needed (RFC 7636)',
    came: params['code_challenge'] === undefined ? 'no code_challenge' : `code_challenge_method ${visible(method, 40)}`,
    expected: 'code_challenge with code_challenge_method=S256',
    difference:
      params['code_challenge'] === undefined ? 'code_challenge is missing' : 'code_challenge_method is not S256',
  };
}

/** Lists whose values may be shown: what an app may ask for. */
function ofList(name: string, came: unknown, allowed: readonly string[] | undefined): Explanation {
  const asked = visible(came).split(' ').filter(Boolean);
  if (!allowed) return { came: `${name}=${asked.join(' ')}` };
  const missing = asked.filter((one) => !allowed.includes(one));
  return {
    came: `${name}=${asked.join(' ')}`,
    expected: allowed.length === 0 ? 'none is allowed' : `of ${allowed.join(' ')}`.slice(0, TEXT_MAX),
    ...(missing.length > 0 ? { difference: `not allowed: ${missing.join(' ')}` } : {}),
  };
}

const methodOf = (ctx: KoaContextWithOIDC): string => {
  const header = ctx.get('authorization').split(' ')[0]!.toLowerCase();
  const body = (ctx.oidc.body ?? {}) as Record<string, unknown>;
  if (header === 'basic') return 'client_secret_basic';
  if (body['client_assertion'] !== undefined) return 'a client assertion';
  if (body['client_secret'] !== undefined) return 'client_secret_post';
  return 'none';
};

function ofAuthentication(ctx: KoaContextWithOIDC, params: Record<string, unknown>): Explanation {
  const { client } = ctx.oidc;
  if (!client) return { ...ofClient(params), problem: 'the app could not be told by its credentials' };
  const [came, expected] = [methodOf(ctx), client.clientAuthMethod ?? 'none'];
  return {
    problem: 'the app did not prove who it is',
    came,
    expected,
    difference: came === expected ? 'the method is right; the secret or signature is not' : 'the method is another one',
  };
}

const wordsOf = (text: string | undefined): string[] => (text ?? '').split(' ').filter(Boolean);

/** @returns what an admin is to know; nothing that was secret in the request. */
export function explain(ctx: KoaContextWithOIDC, error: Error): Explanation {
  const { client, params: parsed } = ctx.oidc;
  const params = (parsed ?? ctx.oidc.body ?? ctx.query ?? {}) as Record<string, unknown>;
  const {
    error: code,
    error_description,
    error_detail,
  } = error as Error & Record<'error' | 'error_description' | 'error_detail', string | undefined>;
  const said = [error_description, error_detail].filter((one) => one !== undefined).join(': ');
  const base: Explanation = {
    at: ctx.oidc.route ?? 'unknown',
    error: visible(code ?? 'server_error', 100),
    ...(said === '' ? {} : { problem: visible(said) }),
  };
  return { ...base, ...particular() };

  function particular(): Explanation {
    if (error instanceof errors.InvalidRedirectUri) return ofRedirectUri(client, params['redirect_uri']);
    if (error instanceof errors.InvalidClient) return ofClient(params);
    if (error instanceof errors.InvalidClientAuth) return ofAuthentication(ctx, params);
    if (error instanceof errors.InvalidScope)
      return ofList('scope', params['scope'], client?.scope === undefined ? undefined : wordsOf(client.scope));
    if (error instanceof errors.UnsupportedGrantType || /is not allowed for this client/.test(said))
      return ofList('grant_type', params['grant_type'] ?? params['response_type'], client?.grantTypes ?? []);
    if (/response_type/.test(said))
      return ofList('response_type', params['response_type'], client?.responseTypes ?? []);
    if (/PKCE|code_challenge/.test(said)) return ofPkce(params);
    if (/redirect_uri/.test(said)) return { came: redactedUri(visible(params['redirect_uri'], LONGEST_COMPARED)) };
    if (code === 'invalid_target')
      return {
        came: redactedUri(visible(params['resource'], LONGEST_COMPARED)),
        expected: 'the identifier of a registered API',
      };
    if (/^missing required/.test(said))
      return {
        came: Object.keys(params)
          .filter((name) => params[name] !== undefined)
          .join(' '),
      };
    return {};
  }
}
