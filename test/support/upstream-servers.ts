/** Providers that stand in for Google, Microsoft, Apple and GitHub: their endpoints, shapes and refusals, on a loopback port. */
import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { newId } from '../../src/kernel/ids.ts';

export const CLIENT = { client_id: 'our-client-id', client_secret: 'our-client-secret' };

interface Answer {
  status?: number;
  body?: unknown;
  type?: string;
}

type Handler = (request: { url: URL; form: URLSearchParams; req: IncomingMessage }) => Answer | Promise<Answer>;

async function serve(routes: Record<string, Handler>): Promise<{ server: Server; origin: string }> {
  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://stand-in');
    const handler = routes[url.pathname];
    const form = new URLSearchParams(await text(req));
    const {
      status = 200,
      body = {},
      type = 'application/json',
    } = handler ? await handler({ url, form, req }) : { status: 404 };
    res.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
  }
  const server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://localhost:${(server.address() as AddressInfo).port}` };
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** What an authorization request said; kept until its code is redeemed. */
interface Asked {
  params: URLSearchParams;
  claims: Record<string, unknown>;
}

const pkceMatches = (verifier: string | null, { params }: Asked) =>
  verifier !== null && hash('sha256', verifier, 'base64url') === params.get('code_challenge');

export interface OpenidServer {
  issuer: string;
  /** Requests to the token endpoint, as they were. */
  redeemed: URLSearchParams[];
  /** Makes the next answers of these paths what the test wants. */
  broken: Record<string, Answer>;
  /** Changes the ID token before it is signed. */
  tamper: (claims: Record<string, unknown>) => Record<string, unknown>;
  /** A person says yes. @returns the address that their browser is sent back to. */
  approve(request: URL, claims: Record<string, unknown>): URL;
  /** What comes back when they, or the provider, say no. */
  refuse(request: URL, error: string): URL;
  stop(): Promise<void>;
}

interface Shape {
  /** Path of the issuer, such as `/common/v2.0`. */
  path?: string;
  /** The `issuer` of the metadata, where it is a template. */
  template?: string;
  metadata?: object;
  /** Whether the client proved who it is. */
  authenticates?: (form: URLSearchParams, req: IncomingMessage) => boolean | Promise<boolean>;
  /** `iss` in the authorization response (RFC 9207). */
  sendsIss?: boolean;
}

const secretMatches = (form: URLSearchParams, req: IncomingMessage): boolean => {
  const { client_id, client_secret } = CLIENT;
  const basic = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`;
  return req.headers.authorization === basic || form.get('client_secret') === client_secret;
};

export async function startOpenidServer({
  path = '',
  template,
  metadata = {},
  authenticates = secretMatches,
  sendsIss = false,
}: Shape = {}): Promise<OpenidServer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const codes = new Map<string, Asked>();
  const redeemed: URLSearchParams[] = [];
  const broken: Record<string, Answer> = {};
  const self = { tamper: (claims: Record<string, unknown>) => claims };
  let origin = '';

  async function token(form: URLSearchParams, req: IncomingMessage): Promise<Answer> {
    redeemed.push(form);
    const asked = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    if (!(await authenticates(form, req))) return { status: 401, body: { error: 'invalid_client' } };
    const right = asked && form.get('redirect_uri') === asked.params.get('redirect_uri');
    if (!right || !pkceMatches(form.get('code_verifier'), asked))
      return { status: 400, body: { error: 'invalid_grant' } };
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: `${origin}${path}`,
      aud: asked.params.get('client_id'),
      iat: now,
      exp: now + 3600,
      nonce: asked.params.get('nonce'),
      ...asked.claims,
    };
    const signer = new SignJWT(self.tamper(claims)).setProtectedHeader({ alg: 'RS256', kid: 'k1' });
    const id_token = await signer.sign(privateKey);
    return { body: { access_token: `at-${newId()}`, token_type: 'Bearer', expires_in: 3600, id_token } };
  }

  const or =
    (name: string, handler: Handler): Handler =>
    async (request) =>
      broken[name] ?? handler(request);
  const { server, origin: found } = await serve({
    [`${path}/.well-known/openid-configuration`]: or('discovery', () => ({
      body: {
        issuer: template === undefined ? `${origin}${path}` : `${origin}${template}`,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        jwks_uri: `${origin}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
        code_challenge_methods_supported: ['plain', 'S256'],
        ...(sendsIss ? { authorization_response_iss_parameter_supported: true } : {}),
        ...metadata,
      },
    })),
    '/jwks': or('jwks', () => ({ body: { keys: [jwk] } })),
    '/token': or('token', ({ form, req }) => token(form, req)),
  });
  origin = found;

  function back(request: URL, values: Record<string, string>): URL {
    const url = new URL(request.searchParams.get('redirect_uri')!);
    const iss = sendsIss ? { iss: `${origin}${path}` } : {};
    for (const [name, value] of Object.entries({ ...values, ...iss })) url.searchParams.set(name, value);
    url.searchParams.set('state', request.searchParams.get('state')!);
    return url;
  }

  return Object.assign(self, {
    issuer: `${origin}${path}`,
    redeemed,
    broken,
    approve(request: URL, claims: Record<string, unknown>) {
      const code = `code-${newId()}`;
      codes.set(code, { params: request.searchParams, claims });
      return back(request, { code });
    },
    refuse: (request: URL, error: string) => back(request, { error, error_description: 'no' }),
    stop: () => stop(server),
  });
}

export interface GithubServer {
  issuer: string;
  broken: Record<string, Answer>;
  approve(request: URL, person: GithubPerson): URL;
  refuse(request: URL, error: string): URL;
  stop(): Promise<void>;
}

export interface GithubPerson {
  user: Record<string, unknown>;
  emails: Record<string, unknown>[];
}

/** GitHub: `/login/oauth/authorize`, `/login/oauth/access_token` with its errors under status 200, `/user` and `/user/emails`. */
export async function startGithubServer(): Promise<GithubServer> {
  const codes = new Map<string, { params: URLSearchParams; person: GithubPerson }>();
  const tokens = new Map<string, GithubPerson>();
  const broken: Record<string, Answer> = {};
  const wrong = (error: string): Answer => ({ body: { error, error_description: 'The code is incorrect.' } });

  function token({ form, req }: Parameters<Handler>[0]): Answer {
    const asked = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    if (form.get('client_secret') !== CLIENT.client_secret) return wrong('incorrect_client_credentials');
    if (!asked || !pkceMatches(form.get('code_verifier'), { params: asked.params, claims: {} }))
      return wrong('bad_verification_code');
    const access_token = `gho_${newId()}`;
    tokens.set(access_token, asked.person);
    const answer = { access_token, token_type: 'bearer', scope: 'read:user,user:email' };
    // Only who asks for JSON gets it.
    if (req.headers.accept?.includes('json')) return { body: answer };
    return { body: new URLSearchParams(answer).toString(), type: 'application/x-www-form-urlencoded' };
  }

  const api =
    (name: string, read: (person: GithubPerson) => unknown): Handler =>
    ({ req }) => {
      const person = tokens.get(/^bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? '');
      if (broken[name]) return broken[name];
      if (!req.headers['user-agent']) return { status: 403, body: { message: 'User-Agent required' } };
      return person ? { body: read(person) } : { status: 401, body: { message: 'Bad credentials' } };
    };

  const { server, origin } = await serve({
    '/login/oauth/access_token': (request) => broken['token'] ?? token(request),
    '/api/v3/user': api('user', ({ user }) => user),
    '/api/v3/user/emails': api('emails', ({ emails }) => emails),
  });

  function back(request: URL, values: Record<string, string>): URL {
    const url = new URL(request.searchParams.get('redirect_uri')!);
    for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
    url.searchParams.set('state', request.searchParams.get('state')!);
    return url;
  }

  return {
    issuer: origin,
    broken,
    approve(request, person) {
      const code = newId();
      codes.set(code, { params: request.searchParams, person });
      return back(request, { code });
    },
    refuse: (request, error) => back(request, { error, error_description: 'no', error_uri: 'https://docs.example' }),
    stop: () => stop(server),
  };
}
