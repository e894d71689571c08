/** A server with the very file that the conformance suite runs against, and clients that register as the suite's do. */
import path from 'node:path';
import * as oidc from 'openid-client';
import { Browser } from './browser.ts';
import { startGatehouse } from './gatehouse.ts';
import type { Running } from './gatehouse.ts';
import type { Person } from './journey.ts';
import { clickThrough } from './relying-party.ts';

export const CONFORMANCE_FILE = path.resolve(import.meta.dirname, '../../config/conformance.yaml');
export const startForConformance = (): Promise<Running> => startGatehouse({ GATEHOUSE_CONFIG: CONFORMANCE_FILE });

export const REDIRECT = 'https://suite.example:8443/test/a/gatehouse/callback';

export interface SuiteClient {
  config: oidc.Configuration;
  client: oidc.ClientMetadata;
  /** No PKCE: the plans of OpenID Connect send none. */
  url(parameters?: Record<string, string>): URL;
  /** Through the pages to the app's address. */
  visit(person: Person, parameters?: Record<string, string>, browser?: Browser): Promise<URL>;
}

/** Registers dynamically, with all that the suite sends each time. */
export async function suiteClient(
  gatehouse: Running,
  metadata: Partial<oidc.ClientMetadata> = {},
  auth?: (client: oidc.ClientMetadata) => oidc.ClientAuth,
  execute: ((config: oidc.Configuration) => void)[] = [],
): Promise<SuiteClient> {
  const wanted = {
    client_name: 'suite client',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
    response_types: ['code'],
    contacts: ['suite@example.com'],
    token_endpoint_auth_method: 'client_secret_basic',
    ...metadata,
  };
  const insecure = { execute: [oidc.allowInsecureRequests] };
  const registered = await oidc.dynamicClientRegistration(new URL(gatehouse.issuer), wanted, undefined, insecure);
  const client = registered.clientMetadata();
  const method = auth?.(client) ?? oidc.ClientSecretBasic(client.client_secret);
  const config = await oidc.discovery(new URL(gatehouse.issuer), client.client_id, client, method, {
    execute: [oidc.allowInsecureRequests, ...execute],
  });
  const url = (parameters: Record<string, string> = {}) =>
    oidc.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT,
      scope: 'openid profile email',
      state: 'the state',
      nonce: 'the nonce',
      ...parameters,
    });
  return {
    config,
    client,
    url,
    visit: (person, parameters, browser = new Browser(gatehouse.issuer)) =>
      clickThrough(browser, url(parameters), person),
  };
}

export const CHECKS = { expectedState: 'the state', expectedNonce: 'the nonce' };
