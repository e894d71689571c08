/** Settings, as admins handle them: values over those of the configuration, in force on every process within a second. */
import { isDeepStrictEqual } from 'node:util';
import type { Audit } from '../audit/audit.ts';
import { isoNow } from '../kernel/clock.ts';
import { isGatehouseError, stale } from '../kernel/errors.ts';
import type { LiveDocument } from '../kernel/live-documents.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Principal } from './principal.ts';

/** What is followed. */
export interface StoredSettings {
  revision: number;
  values: Record<string, unknown>;
  changed_at: Record<string, string>;
}

/** Where they are kept. */
export const SETTINGS_DOCUMENT = 'settings';
export const NO_SETTINGS: StoredSettings = { revision: 0, values: {}, changed_at: {} };

export interface Setting {
  key: string;
  type: 'text' | 'number' | 'boolean' | 'list';
  description: string;
  /** All that it can be, where that is little. */
  choices: string[] | null;
  /** In force; null is none. */
  value: unknown;
  /** `set`: by an admin. `config`: it stands in the configuration, or is its default. */
  source: 'set' | 'config';
  /** What it goes back to. */
  configured: unknown;
  changed_at: string | null;
}

export interface AllSettings {
  items: Setting[];
  /** Of all of them together. */
  version: number;
}

/** By key; null is a setting that goes back to the configuration. */
export type SettingsChange = Record<string, unknown>;

export interface Settings {
  list(): Promise<AllSettings>;
  /** @param version that the admin has seen. @throws invalid_input naming the key, stale. */
  change(by: Principal, change: SettingsChange, version?: number): Promise<AllSettings>;
  /** What would be in force, with all checks. */
  draft(change: SettingsChange): Promise<AllSettings>;
}

interface ValueNeeds {
  live: LiveDocument<StoredSettings>;
  /** @throws invalid_input. */
  check(key: string, value: unknown): unknown;
  log: Logger;
}

/** @returns what gives the values in force. What the configuration no longer allows is left out, and said once in the log. */
export function createSettingValues({ live, check, log }: ValueNeeds): () => Record<string, unknown> {
  let held: { of: StoredSettings; values: Record<string, unknown> } | undefined;
  return () => {
    const now = live.now();
    if (held?.of === now) return held.values;
    const fitting = Object.entries(now.values).flatMap(([key, value]): [string, unknown][] => {
      try {
        return [[key, check(key, value)]];
      } catch (error) {
        log.warn({ err: error, setting: key }, 'a setting is not in force: the configuration does not allow it');
        return [];
      }
    });
    held = { of: now, values: Object.fromEntries(fitting) };
    return held.values;
  };
}

interface Needs extends Omit<ValueNeeds, 'log'> {
  definitions: Pick<Setting, 'key' | 'type' | 'description' | 'choices'>[];
  configured(key: string): unknown;
  audit: Pick<Audit, 'act'>;
}

const shown = (value: unknown): string => (value === null || value === undefined ? '(none)' : JSON.stringify(value));

export function createSettings({ live, check, definitions, configured, audit }: Needs): Settings {
  function inForce(key: string, { values }: StoredSettings): { value: unknown; set: boolean } {
    const own = values[key];
    try {
      if (own !== undefined) return { value: check(key, own), set: true };
    } catch (error) {
      if (!isGatehouseError(error)) throw error;
    }
    return { value: configured(key) ?? null, set: false };
  }

  const all = (stored: StoredSettings): AllSettings => ({
    version: stored.revision,
    items: definitions.map(({ key, type, description, choices }) => {
      const { value, set } = inForce(key, stored);
      return {
        key,
        type,
        description,
        choices,
        value,
        source: set ? 'set' : 'config',
        configured: configured(key) ?? null,
        changed_at: set ? (stored.changed_at[key] ?? null) : null,
      };
    }),
  });

  function applied(before: StoredSettings, change: SettingsChange): StoredSettings {
    const values = { ...before.values };
    const changed_at = { ...before.changed_at };
    let changed = false;
    for (const [key, given] of Object.entries(change)) {
      if (given === undefined) continue;
      if (given === null && !definitions.some((one) => one.key === key)) check(key, given);
      const value = given === null ? undefined : check(key, given);
      if (isDeepStrictEqual(values[key], value)) continue;
      changed = true;
      if (value === undefined) {
        delete values[key];
        delete changed_at[key];
      } else {
        values[key] = value;
        changed_at[key] = isoNow();
      }
    }
    return changed ? { revision: before.revision + 1, values, changed_at } : before;
  }

  return {
    async list() {
      await live.refresh();
      return all(live.now());
    },
    async draft(change) {
      await live.refresh();
      return all(applied(live.now(), change));
    },
    async change(_by, change, version) {
      let before = NO_SETTINGS;
      const after = await live.change((now) => {
        if (version !== undefined && now.revision !== version) throw stale('the settings were changed meanwhile');
        before = now;
        return applied(now, change);
      });
      const detail = Object.keys(change).flatMap((key): [string, string][] => {
        const [old, next] = [inForce(key, before).value, inForce(key, after).value];
        return isDeepStrictEqual(old, next) ? [] : [[key, `${shown(old)} → ${shown(next)}`]];
      });
      if (after !== before)
        await audit.act('settings_changed', { kind: 'system', id: null }, Object.fromEntries(detail));
      return all(after);
    },
  };
}
