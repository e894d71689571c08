/**
 * Token preview: what an app would get for a person, without giving it to anybody. An engine of its own, configured as the one that
 * serves, runs a whole token request: with the same rooms behind it, but over a store that is thrown away, with signatures that are
 * none, and sealing with a key that nobody has. So what comes out is what would, and is good for nothing.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeJwt } from 'jose';
import { errors } from 'oidc-provider';
import type { AllClientMetadata, Provider } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import type { Client } from '../clients/client.ts';
import { ACR } from '../factors/levels.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { invalidInput } from '../kernel/errors.ts';
import { createVault } from '../kernel/secrets.ts';
import { createSealedRecords } from '../protocol/sealed-records.ts';
import type { Mapped, RowResult } from '../roles/claim-mapping.ts';
import type { ClaimTarget } from '../roles/claim-rules.ts';
import type { ProtocolStore } from '../protocol/store.ts';
import { STANDARD_SCOPES } from './claims.ts';
import { issueGrant, requestedConsent } from './grants.ts';
import type { LiveToken } from './jwt-access-tokens.ts';
import { createInstance, createLasting } from './provider.ts';
import type { ProviderNeeds } from './provider-needs.ts';
import type { TokenClaims, TokenFacts } from './token-claims.ts';

export interface PreviewRequest {
  /** Undefined for a service, which acts for itself. */
  account: Account | undefined;
  client: Client;
  scope: string;
  /** Identifier of an API. */
  resource: string | undefined;
}

type Claims = Record<string, unknown>;

export interface PreviewedTokens {
  scope: string;
  /** Undefined where the request gives none. */
  id_token: Claims | undefined;
  access_token: { format: 'jwt' | 'opaque'; resource: string | null; lifetime: number; claims: Claims };
  userinfo: Claims | undefined;
  /** What the claim tables did for each of them. */
  tables: Partial<Record<ClaimTarget, RowResult[]>>;
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void;
type Fetch = (
  path: string,
  init: { method: string; headers?: Record<string, string>; body?: URLSearchParams },
) => Promise<Response>;

interface Needs extends ProviderNeeds {
  /** A store of protocol records that is nobody else's. */
  scratch(): Promise<{ protocol: ProtocolStore; close(): Promise<void> }>;
  /** Sends requests to a handler, in process. */
  fetchFrom(handler: Handler): Fetch;
}

/** What would need the app's own keys, or hide the tokens from us: none of it changes a claim. */
const LEFT_OUT = [
  'jwks',
  'jwks_uri',
  'token_endpoint_auth_signing_alg',
  'fapi_profile',
  'dpop_bound_access_tokens',
  'tls_client_certificate_bound_access_tokens',
  'tls_client_auth_subject_dn',
  'require_signed_request_object',
  'require_pushed_authorization_requests',
  'request_object_signing_alg',
  'id_token_encrypted_response_alg',
  'id_token_encrypted_response_enc',
  'userinfo_signed_response_alg',
  'userinfo_encrypted_response_alg',
  'userinfo_encrypted_response_enc',
  'introspection_signed_response_alg',
  'introspection_encrypted_response_alg',
  'introspection_encrypted_response_enc',
  'authorization_signed_response_alg',
  'authorization_encrypted_response_alg',
  'authorization_encrypted_response_enc',
];
const CALLBACK = 'https://preview.invalid/callback';

/** The app as far as it matters for what is in tokens: it asks with a secret that is not looked at. */
function asAsking(metadata: AllClientMetadata, isService: boolean): AllClientMetadata {
  const kept = Object.fromEntries(Object.entries(metadata).filter(([name]) => !LEFT_OUT.includes(name)));
  return {
    ...kept,
    client_id: metadata.client_id,
    application_type: 'web',
    token_endpoint_auth_method: 'client_secret_post',
    client_secret: 'preview',
    redirect_uris: isService ? [] : [CALLBACK],
    grant_types: isService ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    response_types: isService ? [] : ['code'],
  };
}

const unsigned = async () => new Uint8Array(64);
const nothing = async () => undefined;

/** As the engine that serves, but for what it would leave behind. */
function previewNeeds(needs: Needs, protocol: ProtocolStore, { client }: PreviewRequest): ProviderNeeds {
  const vault = { ...createVault(randomBytes(32), 'tokens'), sign: needs.vault.sign.bind(needs.vault) };
  const metadata: ProviderNeeds['directory']['metadata'] = async (id) => {
    const found = id === client.id ? await needs.directory.metadata(id) : undefined;
    return found && asAsking(found, client.type === 'service');
  };
  return {
    ...needs,
    vault,
    records: createSealedRecords({ store: protocol, vault }),
    directory: { ...needs.directory, metadata },
    liveKeys: { ...needs.liveKeys, sign: unsigned },
    clientGuard: { compared: async () => true },
    limits: { ...needs.limits, spend: nothing },
    onSignIn: nothing,
    onReuse: nothing,
    onToken: () => undefined,
    logOuts: { ...needs.logOuts, apps: { note: nothing, prolong: nothing } },
  };
}

type CodeClass = new (fields: object) => { save(): Promise<string> };

const words = (text: unknown) => (typeof text === 'string' ? text.split(' ').filter(Boolean) : []);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** @throws invalid_input for a scope that the authorization endpoint would refuse. */
function checkScope(scope: string, allowed: string | undefined, supported: readonly string[]): void {
  if (allowed === undefined) return;
  const refused = words(scope).find((one) => supported.includes(one) && !words(allowed).includes(one));
  if (refused !== undefined) throw invalidInput(`the app may not ask for the scope ${refused}`, 'scope');
}

/** A code as after a sign-in with a password and consent to all that is asked. @returns the form that redeems it. */
async function beginCode(provider: Provider, needs: ProviderNeeds, request: PreviewRequest): Promise<URLSearchParams> {
  const { account, scope } = request;
  const client = (await provider.Client.find(request.client.id))!;
  checkScope(scope, client.scope, STANDARD_SCOPES);
  const resource = request.resource ?? request.client.default_resource ?? undefined;
  const asked = await requestedConsent({ scope, resource }, client, needs.directory);
  const { api } = needs.directory;
  const accountId = account!.id;
  const grantId = await issueGrant(provider, {
    accountId,
    client,
    sessionUid: undefined,
    request: asked,
    declined: [],
    api,
  });
  const verifier = randomBytes(32).toString('base64url');
  const { AuthorizationCode } = provider as unknown as { AuthorizationCode: CodeClass };
  const code = new AuthorizationCode({
    accountId,
    client,
    grantId,
    scope: [...asked.scopes, ...Object.values(asked.resources).flat()].join(' '),
    resource,
    redirectUri: CALLBACK,
    codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
    codeChallengeMethod: 'S256',
    acr: ACR[1],
    amr: ['pwd'],
    authTime: epochSeconds(),
    ...(client.includeSid() ? { sid: 'preview' } : {}),
  });
  return new URLSearchParams({
    grant_type: 'authorization_code',
    code: await code.save(),
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  });
}

const beginService = ({ scope, resource }: PreviewRequest): URLSearchParams =>
  new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope === '' ? {} : { scope }),
    ...(resource === undefined ? {} : { resource }),
  });

async function answerOf(response: Response): Promise<Claims> {
  const body = (await response.json()) as Claims;
  if (response.ok) return body;
  throw invalidInput(`the app would get no token: ${String(body['error_description'] ?? body['error'])}`, 'scope');
}

async function run(
  provider: Provider,
  fetch: Fetch,
  needs: ProviderNeeds,
  request: PreviewRequest,
): Promise<Omit<PreviewedTokens, 'tables'>> {
  const secret = { client_id: request.client.id, client_secret: 'preview' };
  const form = (fields: object) => ({ method: 'POST', body: new URLSearchParams({ ...fields, ...secret }) });
  const begun = request.client.type === 'service' ? beginService(request) : await beginCode(provider, needs, request);
  const given = await answerOf(await fetch('/token', form(Object.fromEntries(begun))));
  const token = textOf(given['access_token']);
  const isJwt = token.split('.').length === 3;
  const claims: Claims = isJwt
    ? decodeJwt(token)
    : await answerOf(await fetch('/token/introspection', form({ token })));
  const scope = textOf(given['scope'] ?? claims['scope']);
  const headers = { authorization: `Bearer ${token}` };
  const hasUserinfo = request.account !== undefined && words(claims['scope']).includes('openid');
  return {
    scope,
    id_token: given['id_token'] === undefined ? undefined : decodeJwt(textOf(given['id_token'])),
    access_token: {
      format: isJwt ? 'jwt' : 'opaque',
      resource: claims['aud'] === undefined ? null : textOf(claims['aud']),
      lifetime: Number(given['expires_in']),
      claims,
    },
    userinfo: hasUserinfo ? await answerOf(await fetch('/userinfo', { method: 'GET', headers })) : undefined,
  };
}

/** Tells what was made for whom, of the claims that go into the tokens. */
const listening = (claims: TokenClaims, hear: (facts: TokenFacts, mapped: Mapped) => void): TokenClaims => ({
  ...claims,
  async mapped(facts) {
    const mapped = await claims.mapped(facts);
    hear(facts, mapped);
    return mapped;
  },
});

/** @returns a function that throws invalid_input where the app would get no token, saying why. */
export const createPreview =
  (needs: Needs) =>
  async (request: PreviewRequest): Promise<PreviewedTokens> => {
    const { protocol, close } = await needs.scratch();
    try {
      const ours = previewNeeds(needs, protocol, request);
      // What comes back to this instance is what it has just given.
      const lasting = createLasting(ours, async (jwt) => decodeJwt<LiveToken['payload']>(jwt));
      const tables: PreviewedTokens['tables'] = {};
      const tokenClaims = listening(lasting.tokenClaims, ({ target }, { rows }) => (tables[target] = rows));
      const provider = createInstance({ ...lasting, tokenClaims }, needs.liveKeys.keys());
      const tokens = await run(provider, needs.fetchFrom(provider.callback()), ours, request);
      return { ...tokens, tables };
    } catch (error) {
      if (error instanceof errors.OIDCProviderError)
        throw invalidInput(`the app would get no token: ${error.error_description ?? error.message}`, 'resource');
      throw error;
    } finally {
      await close();
    }
  };
