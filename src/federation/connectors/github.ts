import type { Configuration } from 'openid-client';
import { epochSeconds } from '../../kernel/clock.ts';
import { UpstreamError } from '../connector.ts';
import type { Ask, Assertion, Checks, Connector, OpenidClient } from '../connector.ts';
import { toUpstreamError, withDeadline } from '../failures.ts';
import type { OpenidNeeds } from '../openid-connect.ts';
import type { GithubSettings } from '../settings.ts';

const HOME = 'https://github.com';
const HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };
const OK = 200;
const BAD_REQUEST = 400;
const MS = 1000;

interface Person {
  id?: unknown;
  login?: unknown;
  name?: unknown;
  avatar_url?: unknown;
}

interface Mailbox {
  email?: unknown;
  primary?: unknown;
  verified?: unknown;
}

/** GitHub reports errors of its token endpoint with status 200. */
async function asError(response: Response): Promise<Response> {
  if (response.status !== OK || !response.headers.get('content-type')?.includes('json')) return response;
  const body = (await response.clone().json()) as { error?: unknown };
  return typeof body.error === 'string' ? Response.json(body, { status: BAD_REQUEST }) : response;
}

/** GitHub: OAuth 2.0, no ID token; who it is, its API says. It cannot be made to ask for a password again. */
export function createGithubConnector(settings: GithubSettings, { load, fetch, limits }: OpenidNeeds): Connector {
  const base = settings.issuer.replace(/\/$/, '');
  const api = (settings.api_url ?? (base === HOME ? 'https://api.github.com' : `${base}/api/v3`)).replace(/\/$/, '');
  const endpoints = {
    issuer: `${base}/login/oauth`,
    authorization_endpoint: `${base}/login/oauth/authorize`,
    token_endpoint: `${base}/login/oauth/access_token`,
  };

  function configure(client: OpenidClient): Configuration {
    const auth = client.ClientSecretPost(settings.client_secret);
    const configuration = new client.Configuration(endpoints, settings.client_id, undefined, auth);
    configuration.timeout = limits.deadlineMs / MS;
    if (base.startsWith('http:')) client.allowInsecureRequests(configuration);
    configuration[client.customFetch] = async (url, init) => {
      const response = await fetch(url, init);
      return url === endpoints.token_endpoint ? asError(response) : response;
    };
    return configuration;
  }

  async function authorize({ redirect_uri, fresh, max_age, select_account }: Ask) {
    const client = await load();
    const checks: Checks = {
      state: client.randomState(),
      code_verifier: client.randomPKCECodeVerifier(),
      nonce: '',
      begun_at: epochSeconds(),
      fresh,
      max_age,
    };
    const url = client.buildAuthorizationUrl(configure(client), {
      redirect_uri,
      scope: settings.scopes.join(' '),
      code_challenge: await client.calculatePKCECodeChallenge(checks.code_verifier),
      code_challenge_method: 'S256',
      state: checks.state,
      ...(fresh || select_account ? { prompt: 'select_account' } : {}),
    });
    return { url: url.href, checks };
  }

  async function redeem(callback: URL, checks: Checks): Promise<Assertion> {
    const client = await load();
    const configuration = configure(client);
    const { access_token } = await client.authorizationCodeGrant(configuration, callback, {
      pkceCodeVerifier: checks.code_verifier,
      expectedState: checks.state,
    });
    const ask = async (path: string): Promise<unknown> => {
      const url = new URL(`${api}${path}`);
      const answer = await client.fetchProtectedResource(
        configuration,
        access_token,
        url,
        'GET',
        null,
        new Headers(HEADERS),
      );
      if (answer.status !== OK)
        throw new UpstreamError(answer.status >= 500 ? 'unavailable' : 'refused', `status ${answer.status}`);
      return answer.json();
    };
    const [person, mailboxes] = (await Promise.all([ask('/user'), ask('/user/emails')])) as [Person, Mailbox[]];
    const primary = Array.isArray(mailboxes) ? mailboxes.find((mailbox) => mailbox.primary === true) : undefined;
    return {
      issuer: base,
      subject: Number.isSafeInteger(person.id) ? String(person.id) : undefined,
      email: primary?.email,
      email_verified: primary?.verified === true,
      name: person.name ?? person.login,
      picture: person.avatar_url,
    };
  }

  /** Its API says who it is to nobody; that it answers is all there is to see. */
  async function reach() {
    const answer = await fetch(`${api}/`, { method: 'GET', headers: HEADERS, body: undefined, redirect: 'manual' });
    if (answer.status >= 500) throw new UpstreamError('unavailable', `status ${answer.status}`);
    if (!answer.headers.get('content-type')?.includes('json')) throw new UpstreamError('refused', 'api_url');
    const { authorization_endpoint, token_endpoint } = endpoints;
    return { issuer: base, authorization_endpoint, token_endpoint };
  }

  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await withDeadline(limits.deadlineMs, work());
    } catch (error) {
      throw toUpstreamError(await load(), error);
    }
  }

  return {
    form_post: false,
    begin: (ask) => attempt(() => authorize(ask)),
    finish: (callback, checks) => attempt(() => redeem(callback, checks)),
    reach: () => attempt(reach),
  };
}
