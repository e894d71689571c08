/** Providers that admins add while all runs: their records, with secrets sealed, and those of the configuration beside them. */
import { isoNow } from '../kernel/clock.ts';
import { conflict, duplicate, invalidInput, notFound, stale } from '../kernel/errors.ts';
import type { LiveDocument } from '../kernel/live-documents.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Sealing } from '../kernel/secrets.ts';
import type { ProviderSettings } from './settings.ts';

export const PROVIDER_SECRETS = ['client_secret', 'private_key'] as const;
type Secret = (typeof PROVIDER_SECRETS)[number];
type Fields = Record<string, unknown>;

export interface StoredProvider {
  name: string;
  enabled: boolean;
  /** All but its secrets. */
  settings: Fields;
  /** Its secrets, each sealed for it alone, in base64url. */
  sealed: Partial<Record<Secret, string>>;
  created_at: string;
  updated_at: string;
  version: number;
}

/** What is followed. */
export interface StoredProviders {
  providers: StoredProvider[];
}

export interface NewProvider extends Fields {
  name: string;
  enabled?: boolean | undefined;
}

/** What is absent stays, what is null goes back to its default; `type` stays for good. */
export type ProviderChange = Fields & { enabled?: boolean | null | undefined };

/** A provider as admins see it; secrets are not among what is told of it. */
export interface KnownProvider {
  name: string;
  source: 'config' | 'store';
  enabled: boolean;
  has_secret: boolean;
  settings: Fields;
  created_at: string | null;
  updated_at: string | null;
  /** 0 of one that the configuration has. */
  version: number;
}

/** Where they are kept. */
export const PROVIDERS = 'providers';
export const NO_PROVIDERS: StoredProviders = { providers: [] };
const MOST = 100;

export const sealedContext = (name: string, secret: string): string => `provider:${name}:${secret}`;

const isSecret = (key: string): key is Secret => (PROVIDER_SECRETS as readonly string[]).includes(key);
const without = <T>(fields: Record<string, T>, drop: (key: string, value: T) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(fields).filter(([key, value]) => !drop(key, value)));

interface Needs {
  live: LiveDocument<StoredProviders>;
  sealing: Sealing;
  /** Of the configuration. */
  configured: Record<string, ProviderSettings>;
  /** What speaks against it is thrown as invalid_input that names the field. @returns the settings with their defaults. */
  check(name: string, settings: Fields): ProviderSettings;
  log: Logger;
}

export type ProviderRecords = ReturnType<typeof createProviderRecords>;

export function createProviderRecords({ live, sealing, configured, check, log }: Needs) {
  const seal = (name: string, settings: ProviderSettings): Pick<StoredProvider, 'settings' | 'sealed'> => {
    const all = Object.entries(settings);
    const secrets = all.filter(([key, value]) => isSecret(key) && typeof value === 'string');
    return {
      settings: without(settings as unknown as Fields, isSecret),
      sealed: Object.fromEntries(
        secrets.map(([key, value]) => [
          key,
          sealing.seal(String(value), sealedContext(name, key)).toString('base64url'),
        ]),
      ),
    };
  };
  const openOne = (name: string, key: string, value: string): string =>
    sealing.open(Buffer.from(value, 'base64url'), sealedContext(name, key));
  const open = ({ name, settings, sealed }: StoredProvider): Fields => ({
    ...settings,
    ...Object.fromEntries(Object.entries(sealed).map(([key, value]) => [key, openOne(name, key, value)])),
  });

  /** Without what no key opens: whoever gives another secret gets rid of that. */
  function openable(provider: StoredProvider): Fields {
    try {
      return open(provider);
    } catch {
      return provider.settings;
    }
  }

  const known = ({ sealed, ...provider }: StoredProvider): KnownProvider => ({
    ...provider,
    source: 'store',
    has_secret: Object.keys(sealed).length > 0,
  });
  const fromConfig = ([name, settings]: [string, ProviderSettings]): KnownProvider => ({
    name,
    source: 'config',
    enabled: true,
    has_secret: PROVIDER_SECRETS.some((key) => key in settings),
    settings: without(settings as unknown as Fields, isSecret),
    created_at: null,
    updated_at: null,
    version: 0,
  });

  /** By what `live` holds, so that it is the same object while nothing changed. */
  let opened: { of: StoredProviders; active: Record<string, ProviderSettings> } | undefined;
  function active(): Record<string, ProviderSettings> {
    const now = live.now();
    if (opened?.of === now) return opened.active;
    const entries = now.providers.flatMap((provider): [string, ProviderSettings][] => {
      if (!provider.enabled || Object.hasOwn(configured, provider.name)) return [];
      try {
        return [[provider.name, open(provider) as unknown as ProviderSettings]];
      } catch (error) {
        // One that nobody can open must not take the others away.
        log.warn({ err: error, provider: provider.name }, 'the secret of a provider cannot be opened');
        return [];
      }
    });
    opened = { of: now, active: { ...configured, ...Object.fromEntries(entries) } };
    return opened.active;
  }

  const notOfConfig = (name: string) => {
    if (Object.hasOwn(configured, name)) throw conflict(`${name} is set in the configuration: change it there`);
  };

  /** The one that is to be changed. */
  function mine({ providers }: StoredProviders, name: string, version: number | undefined): StoredProvider {
    notOfConfig(name);
    const found = providers.find((one) => one.name === name);
    if (!found) throw notFound(`no provider is called ${name}`);
    if (version !== undefined && found.version !== version) throw stale(`the provider ${name} was changed meanwhile`);
    return found;
  }

  function made({ name, enabled = true, ...fields }: NewProvider): StoredProvider {
    const settings = check(name, fields);
    const now = isoNow();
    return { name, enabled, ...seal(name, settings), created_at: now, updated_at: now, version: 1 };
  }

  function changed(before: StoredProvider, { enabled, ...fields }: ProviderChange): StoredProvider {
    if (fields['type'] !== undefined && fields['type'] !== before.settings['type'])
      throw invalidInput(`stays ${String(before.settings['type'])}: remove it and add another`, 'type');
    const named = without(fields, (_, value) => value === undefined);
    // Else whoever may change providers, and not read secrets, has ours brought to an address of their own.
    const moves = (named['issuer'] ?? before.settings['issuer']) !== before.settings['issuer'];
    if (moves && before.sealed.client_secret !== undefined && named['client_secret'] === undefined)
      throw invalidInput(
        'client_secret is for the issuer it was given for: give the one for the new issuer',
        'client_secret',
      );
    const settings = check(
      before.name,
      without({ ...openable(before), ...named }, (_, value) => value === null),
    );
    const isSame = JSON.stringify(openable(before)) === JSON.stringify(settings);
    return {
      ...before,
      ...(isSame ? {} : seal(before.name, settings)),
      enabled: enabled === undefined ? before.enabled : (enabled ?? true),
      updated_at: isoNow(),
      version: before.version + 1,
    };
  }

  const get = (name: string): KnownProvider => {
    if (Object.hasOwn(configured, name)) return fromConfig([name, configured[name]!]);
    return known(mine(live.now(), name, undefined));
  };

  return {
    active,
    get,
    /** Also of those that are off: what names one stays as it is until it is on again. */
    names: () => [...new Set([...Object.keys(configured), ...live.now().providers.map(({ name }) => name)])],
    list: (): KnownProvider[] => [
      ...Object.entries(configured).map(fromConfig),
      ...live
        .now()
        .providers.filter(({ name }) => !Object.hasOwn(configured, name))
        .map(known),
    ],
    refresh: () => live.refresh(),
    /** What it would be, with all checks. @throws invalid_input, conflict, not_found. */
    draft(name: string, change: ProviderChange): KnownProvider {
      return known(changed(mine(live.now(), name, undefined), change));
    },
    draftNew: (input: NewProvider): KnownProvider => known(made(input)),
    /** Whether this is the secret that it has. */
    holdsSecret(name: string, secret: Secret, value: string): boolean {
      return openable(mine(live.now(), name, undefined))[secret] === value;
    },
    /** @throws invalid_input, duplicate. */
    async create(input: NewProvider): Promise<KnownProvider> {
      notOfConfig(input.name);
      const record = made(input);
      await live.change(({ providers }) => {
        if (providers.some(({ name }) => name === input.name))
          throw duplicate(`${input.name} is there already`, 'name');
        if (providers.length >= MOST) throw conflict(`there are ${MOST} providers, which is the most`);
        return { providers: [...providers, record] };
      });
      return known(record);
    },
    /** @throws invalid_input, not_found, conflict for one of the configuration, stale. */
    async update(name: string, change: ProviderChange, version?: number): Promise<KnownProvider> {
      let after: StoredProvider | undefined;
      await live.change((all) => {
        const before = mine(all, name, version);
        after = changed(before, change);
        return { providers: all.providers.map((one) => (one === before ? after! : one)) };
      });
      return known(after!);
    },
    /** @throws not_found, conflict for one of the configuration, stale. */
    async remove(name: string, version?: number): Promise<void> {
      await live.change((all) => {
        const gone = mine(all, name, version);
        return { providers: all.providers.filter((one) => one !== gone) };
      });
    },
  };
}
