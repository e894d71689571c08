/** The providers there are, ready to sign people in. */
import { toIdentity } from './assertion.ts';
import type { Ask, Checks, Connector, OpenidClient, Reached, UpstreamFetch } from './connector.ts';
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
  /** Whether it answers, asked now. @throws UpstreamError. */
  reach(): Promise<Reached>;
}

export interface Providers {
  /** As they are now: those of the configuration in its order, then those that admins added. */
  readonly all: Provider[];
  find(name: string): Provider | undefined;
}

interface Needs {
  /** The same object for as long as nothing has changed. */
  settings: () => Record<string, ProviderSettings>;
  /** Our address, below which the callbacks are. */
  issuer: string;
  /** Whether new people get an account where a provider's settings do not say. */
  createAccounts: () => boolean;
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
  function provide(name: string, one: ProviderSettings): Provider {
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
      get create_accounts() {
        return one.create_accounts ?? createAccounts();
      },
      reach: () => connector.reach(),
      begin: (ask) => connector.begin({ ...ask, redirect_uri }),
      async finish(response, checks) {
        const callback = new URL(redirect_uri);
        for (const [key, value] of response) callback.searchParams.append(key, value);
        // Microsoft's e-mails are verified by other rules, which its connector knows.
        const trust_email = trust.trust_email || one.type === 'microsoft';
        return toIdentity(await connector.finish(callback, checks), { ...trust, trust_email });
      },
    };
  }

  let seen: Record<string, ProviderSettings> | undefined;
  let held = new Map<string, { key: string; provider: Provider }>();
  /** What did not change keeps its connector, with all it has learned of its upstream. */
  function current(): Map<string, { key: string; provider: Provider }> {
    const now = settings();
    if (now === seen) return held;
    const entries = Object.entries(now).map(([name, one]) => {
      const key = JSON.stringify(one);
      const before = held.get(name);
      return [name, before?.key === key ? before : { key, provider: provide(name, one) }] as const;
    });
    held = new Map(entries);
    seen = now;
    return held;
  }
  return {
    get all() {
      return [...current().values()].map(({ provider }) => provider);
    },
    find: (name) => current().get(name)?.provider,
  };
}
