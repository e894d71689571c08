/** Providers that people may sign in with, as admins handle them. What a record may say `federation/` and its schema know. */
import type { Audit } from '../audit/audit.ts';
import type { Clients } from '../clients/clients.ts';
import { UpstreamError } from '../federation/connector.ts';
import type { Reached, UpstreamProblem } from '../federation/connector.ts';
import type { Providers } from '../federation/providers.ts';
import { PROVIDER_SECRETS } from '../federation/records.ts';
import type { KnownProvider, NewProvider, ProviderChange, ProviderRecords } from '../federation/records.ts';
import { conflict } from '../kernel/errors.ts';
import type { Principal } from './principal.ts';

export type Tested =
  { ok: true; answer: Reached } | { ok: false; problem: UpstreamProblem; detail: string | undefined };

export interface Upstreams {
  /** Those of the configuration first. */
  list(): Promise<KnownProvider[]>;
  /** @throws not_found. */
  get(name: string): Promise<KnownProvider>;
  /** What people must be sent back to, as is told to the provider. */
  callbackOf(name: string): string;
  /** @throws invalid_input naming the field, duplicate, conflict. */
  create(by: Principal, input: NewProvider): Promise<KnownProvider>;
  /** @param version that the admin has seen. @throws invalid_input, not_found, conflict for one of the configuration, stale. */
  update(by: Principal, name: string, change: ProviderChange, version?: number): Promise<KnownProvider>;
  /** @throws not_found, stale, conflict for one of the configuration, or while an app names it. */
  remove(by: Principal, name: string, version?: number): Promise<void>;
  /** Asks the provider now whether it is one. @throws not_found, conflict for one that is off. */
  test(name: string): Promise<Tested>;
  /** What creating or changing would keep, with all checks. */
  draft(input: NewProvider): Promise<KnownProvider>;
  draftChange(name: string, change: ProviderChange): Promise<KnownProvider>;
  holdsSecret(name: string, secret: (typeof PROVIDER_SECRETS)[number], value: string): boolean;
}

const PAGE = 500;
const VALUE_MAX = 300;
const SYSTEM = { kind: 'system', id: null } as const;
const inShort = (value: unknown): string => (JSON.stringify(value) ?? 'null').slice(0, VALUE_MAX);

/** What is otherwise, before and after; of secrets only that they are others. */
function difference(before: KnownProvider, after: KnownProvider, change: ProviderChange): Record<string, string> {
  const fields = ({ settings, enabled }: KnownProvider): Record<string, unknown> => ({ ...settings, enabled });
  const [old, now] = [fields(before), fields(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const changed = names.filter((name) => inShort(old[name]) !== inShort(now[name]));
  const secrets = PROVIDER_SECRETS.filter((name) => change[name] !== undefined);
  return Object.fromEntries([
    ...changed.map((name) => [name, `${inShort(old[name])} → ${inShort(now[name])}`]),
    ...secrets.map((name) => [name, 'replaced']),
  ]) as Record<string, string>;
}

interface Needs {
  records: ProviderRecords;
  providers: Pick<Providers, 'find'>;
  clients: Pick<Clients, 'list'>;
  audit: Pick<Audit, 'act'>;
  issuer: string;
}

export function createUpstreams({ records, providers, clients, audit, issuer }: Needs): Upstreams {
  /** Without it, whoever signs in to such an app would have no way in, or all of them. */
  async function mustBeUnnamed(name: string): Promise<void> {
    let after: string | undefined;
    do {
      const page = await clients.list({ after, limit: PAGE });
      const user = page.items.find(({ identity_providers = [] }) => identity_providers.includes(name));
      if (user) throw conflict(`the app ${user.id} names ${name} among its providers`);
      after = page.next;
    } while (after !== undefined);
  }

  async function get(name: string): Promise<KnownProvider> {
    await records.refresh();
    return records.get(name);
  }

  return {
    get,
    async list() {
      await records.refresh();
      return records.list();
    },
    callbackOf: (name) => `${issuer}/federation/${name}/callback`,
    async create(_by, input) {
      const made = await records.create(input);
      await audit.act('provider_added', SYSTEM, { provider: made.name, type: String(made.settings['type']) });
      return made;
    },
    async update(_by, name, change, version) {
      const before = await get(name);
      const after = await records.update(name, change, version);
      await audit.act('provider_changed', SYSTEM, { provider: name, ...difference(before, after, change) });
      return after;
    },
    async remove(_by, name, version) {
      await mustBeUnnamed(name);
      await records.remove(name, version);
      await audit.act('provider_removed', SYSTEM, { provider: name });
    },
    async test(name) {
      await get(name);
      const provider = providers.find(name);
      if (!provider) throw conflict(`${name} is off: enable it first`);
      try {
        return { ok: true, answer: await provider.reach() };
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        return { ok: false, problem: error.problem, detail: error.detail };
      }
    },
    draft: async (input) => records.draftNew(input),
    draftChange: async (name, change) => records.draft(name, change),
    holdsSecret: (name, secret, value) => records.holdsSecret(name, secret, value),
  };
}
