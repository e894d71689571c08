/** The providers of the configuration, ready to sign people in. */
import { toIdentity } from './assertion.ts';
import type { Ask, Checks, Connector, OpenidClient, UpstreamFetch } from './connector.ts';
import { apple } from './connectors/apple.ts';
import { createGithubConnector } from './connectors/github.ts';
import { google } from './connectors/google.ts';
import { microsoft } from './connectors/microsoft.ts';
import { oidc } from './connectors/oidc.ts';
import type { UpstreamIdentity } from './identity.ts';
import { createOpenidConnector } from './openid-connect.ts';
import type { Limits, OpenidNeeds } from './openid-connect.ts';
import type { ProviderSettings } from './settings.ts';

export interface Provider {
  /** In addresses and in the store. */
  name: string;
  type: ProviderSettings['type'];
  /** For people. */
  display_name: string;
  has_logo: boolean;
  form_post: boolean;
  refresh: ProviderSettings['refresh'];
  create_accounts: boolean;
  /** @throws UpstreamError. */
  begin(ask: Omit<Ask, 'redirect_uri'>): Promise<{ url: string; checks: Checks }>;
  /** @param response what came to our callback. @throws UpstreamError. */
  finish(response: URLSearchParams, checks: Checks): Promise<UpstreamIdentity>;
}

export interface Providers {
  /** In the order of the configuration. */
  all: Provider[];
  find(name: string): Provider | undefined;
}

interface Needs {
  settings: Record<string, ProviderSettings>;
  /** Our address, below which the callbacks are. */
  issuer: string;
  /** Whether new people get an account where a provider's settings do not say. */
  createAccounts: boolean;
  fetch: UpstreamFetch;
  limits?: Limits;
}

const LIMITS: Limits = { deadlineMs: 10_000, discoveryLife: 3600 };
const NAMES = { google: 'Google', github: 'GitHub', microsoft: 'Microsoft', apple: 'Apple' };

let library: Promise<OpenidClient> | undefined;
const load = (): Promise<OpenidClient> => (library ??= import('openid-client'));

function connect(settings: ProviderSettings, needs: OpenidNeeds): Connector {
  switch (settings.type) {
    case 'google':
      return createOpenidConnector(google(settings), needs);
    case 'microsoft':
      return createOpenidConnector(microsoft(settings), needs);
    case 'apple':
      return createOpenidConnector(apple(settings), needs);
    case 'oidc':
      return createOpenidConnector(oidc(settings), needs);
    case 'github':
      return createGithubConnector(settings, needs);
  }
}

const defaultName = (type: ProviderSettings['type'], name: string) =>
  type === 'oidc' ? name.charAt(0).toUpperCase() + name.slice(1) : NAMES[type];

/** Nothing is asked of an upstream before somebody wants to sign in there: one that is down holds up no start. */
export function createProviders({ settings, issuer, createAccounts, fetch, limits = LIMITS }: Needs): Providers {
  const all = Object.entries(settings).map(([name, one]): Provider => {
    const connector = connect(one, { load, fetch, limits });
    const redirect_uri = `${issuer}/federation/${name}/callback`;
    const trust = { provider: name, trust_email: one.trust_email, trust_amr: 'trust_amr' in one && one.trust_amr };
    return {
      name,
      type: one.type,
      display_name: one.display_name ?? defaultName(one.type, name),
      has_logo: one.type === 'oidc' && one.logo !== undefined,
      form_post: connector.form_post,
      refresh: one.refresh,
      create_accounts: one.create_accounts ?? createAccounts,
      begin: (ask) => connector.begin({ ...ask, redirect_uri }),
      async finish(response, checks) {
        const callback = new URL(redirect_uri);
        for (const [key, value] of response) callback.searchParams.append(key, value);
        // Microsoft's e-mails are verified by other rules, which its connector knows.
        const trust_email = trust.trust_email || one.type === 'microsoft';
        return toIdentity(await connector.finish(callback, checks), { ...trust, trust_email });
      },
    };
  });
  return { all, find: (name) => all.find((provider) => provider.name === name) };
}
