/** An app under test: `openid-client` with code and PKCE, and a person who clicks through the pages. */
import * as oidc from 'openid-client';
import type { Running } from './gatehouse.ts';
import { Browser } from './browser.ts';
import type { Page } from './browser.ts';

type App = Awaited<ReturnType<Running['app']>>;
type Person = Awaited<ReturnType<Running['person']>>;

export interface RelyingParty {
  config: oidc.Configuration;
  app: App;
  /** Begins a sign-in. */
  request(parameters?: Record<string, string>): Promise<{ url: URL; checks: oidc.AuthorizationCodeGrantChecks }>;
  /** A whole sign-in with consent, up to the tokens. */
  signIn(
    person: Person,
    parameters?: Record<string, string>,
    browser?: Browser,
  ): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>;
  redeem(
    callback: URL,
    checks: oidc.AuthorizationCodeGrantChecks,
    parameters?: Record<string, string>,
  ): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>;
}

interface Ways {
  /** By which it proves who it is; its secret, if it has one, unless said. */
  auth?: oidc.ClientAuth;
  metadata?: Partial<oidc.ClientMetadata>;
  execute?: ((config: oidc.Configuration) => void)[];
}

export async function relyingParty(
  gatehouse: Running,
  app: App,
  { auth, metadata = {}, execute = [] }: Ways = {},
): Promise<RelyingParty> {
  const usual = app.client_secret === undefined ? oidc.None() : oidc.ClientSecretBasic(app.client_secret);
  const config = await oidc.discovery(new URL(gatehouse.issuer), app.client_id, metadata, auth ?? usual, {
    execute: [oidc.allowInsecureRequests, ...execute],
  });

  async function request(parameters: Record<string, string> = {}) {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const expectedState = oidc.randomState();
    const expectedNonce = oidc.randomNonce();
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: app.redirect_uri,
      scope: 'openid profile email',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
      ...parameters,
    });
    return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce } };
  }

  const redeem: RelyingParty['redeem'] = (callback, checks, parameters) =>
    oidc.authorizationCodeGrant(config, callback, checks, parameters);

  return {
    config,
    app,
    request,
    redeem,
    async signIn(person, parameters, browser = new Browser(gatehouse.issuer)) {
      const { url, checks } = await request(parameters);
      return redeem(await clickThrough(browser, url, person), checks);
    },
  };
}

/** Signs in and allows wherever asked. @returns the address at the app that the journey ends at. */
export async function clickThrough(browser: Browser, url: URL, person: Person): Promise<URL> {
  let page: Page = await browser.open(url);
  if (page.html.querySelector('input[name=password]'))
    page = await browser.submit(page, { email: person.email, password: person.password });
  if (page.html.querySelector('button[name=decision]')) page = await browser.submit(page, { decision: 'allow' });
  if (page.status !== 0)
    throw new Error(`the journey ended at ${page.url.href} with ${page.status}: ${page.text.slice(0, 3000)}`);
  return page.url;
}
