/**
 * Bare `oidc-provider` with what Gatehouse offers its clients (algorithms, token formats, PKCE, rotation, scopes, claims) and
 * nothing else: no store, no headers, no password hash, the smallest pages a login can have. A child process of the run.
 */
import { readFileSync } from 'node:fs';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import type { ClientMetadata, Configuration } from 'oidc-provider';
import { CLAIMS_BY_SCOPE, STANDARD_SCOPES } from '../src/oidc/claims.ts';
import { createMapAdapterFactory } from './bare-adapter.ts';
import { barePages } from './bare-pages.ts';
import { API_SCOPE } from './fixture.ts';
import type { Fixture } from './fixture.ts';

const { port, fixture } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as { port: number; fixture: Fixture };
const people = new Map(fixture.people.map((person) => [person.sub, person]));

async function privateKey(alg: 'ES256' | 'RS256') {
  const { privateKey: key } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  return { ...(await exportJWK(key)), kid: alg, alg, use: 'sig' };
}

const clients: ClientMetadata[] = [
  {
    ...fixture.service,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: 'RS256',
  },
  {
    client_id: fixture.web.client_id,
    client_secret: fixture.web.client_secret,
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [fixture.web.redirect_uri],
    response_types: ['code'],
    id_token_signed_response_alg: 'RS256',
  },
];

function claimsOf(sub: string) {
  const { name, email } = people.get(sub)!;
  return { sub, name, email, email_verified: true, roles: [], updated_at: 1_700_000_000 };
}

const configuration: Configuration = {
  adapter: createMapAdapterFactory(),
  clients,
  jwks: { keys: [await privateKey('ES256'), await privateKey('RS256')] },
  cookies: { keys: ['a key that signs cookies'], long: { signed: true }, short: { signed: true } },
  scopes: STANDARD_SCOPES,
  claims: { ...CLAIMS_BY_SCOPE, iss: null, sid: null },
  conformIdTokenClaims: false,
  responseTypes: ['code'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: 900,
    ClientCredentials: 900,
    AuthorizationCode: 60,
    IdToken: 3600,
    Interaction: 3600,
    Session: 86_400,
    Grant: 2_592_060,
    RefreshToken: 604_800,
  },
  findAccount: async (_ctx, id) => (people.has(id) ? { accountId: id, claims: async () => claimsOf(id) } : undefined),
  extraTokenClaims: async (_ctx, token) =>
    'accountId' in token && token.scopes.has('email')
      ? { email: people.get(token.accountId)!.email, email_verified: true }
      : undefined,
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  routes: { userinfo: '/userinfo' },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => undefined,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_ctx, resource) => ({
        scope: API_SCOPE,
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
};

const provider = new Provider(`http://127.0.0.1:${port}`, configuration);
provider.use(barePages(provider, fixture.people));
const server = provider.listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
