/**
 * Settings: the keys of the configuration that admins may set while all runs. What stands in the configuration is what they go back
 * to. Where the program keeps its data, its keys, its address and its limits are not among them: those are the operator's alone.
 */
import { z } from 'zod';
import { invalidInput } from '../kernel/errors.ts';
import { PUBLISHING_MARGIN } from '../kernel/publishing.ts';
import { configKeys } from './keys.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';

const MINUTE = 60;
const DAY = 86_400;
const between = (least: number, most: number) =>
  z.int().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`);
const webAddress = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).max(2000);

/** What is asked beyond the schema of the configuration, since these are set by people who need not know the rest of it. */
const SETTABLE: Record<string, z.ZodType | undefined> = {
  'brand.name': z.string().trim().min(1),
  'brand.accent': undefined,
  'brand.accent_dark': undefined,
  'brand.theme': undefined,
  'brand.privacy_url': webAddress,
  'brand.terms_url': webAddress,
  'brand.locale': undefined,
  'sign_up.enabled': undefined,
  'passwords.min_length': undefined,
  'passwords.breach_check': undefined,
  'factors.policy': undefined,
  'factors.required_roles': z.array(z.string().regex(/^[\w.:-]{1,100}$/, 'must be names of roles')).max(50),
  'factors.enrolment_grace': undefined,
  'lifetimes.access_token': between(MINUTE, DAY),
  'lifetimes.id_token': between(MINUTE, DAY),
  'lifetimes.refresh_token': between(5 * MINUTE, 365 * DAY),
  'lifetimes.session': between(5 * MINUTE, 90 * DAY),
  'mail.from': undefined,
  'mail.reply_to': undefined,
};
export const SETTING_NAMES = Object.keys(SETTABLE);

export interface SettingDefinition {
  key: string;
  type: 'text' | 'number' | 'boolean' | 'list';
  description: string;
  /** All that it can be, where that is little. */
  choices: string[] | null;
  /** The schema of a value that is set. */
  schema: z.ZodType;
}

function leafAt(key: string): z.ZodType {
  let here: z.ZodType = configSchema;
  const open = () => {
    while (here instanceof z.ZodOptional || here instanceof z.ZodDefault || here instanceof z.ZodPrefault)
      here = here.unwrap() as z.ZodType;
  };
  for (const name of key.split('.')) {
    open();
    here = (here as z.ZodObject).shape[name] as z.ZodType;
  }
  open();
  return here;
}

function typeOf(schema: z.ZodType): SettingDefinition['type'] {
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodArray) return 'list';
  return schema instanceof z.ZodNumber ? 'number' : 'text';
}

export const SETTINGS: SettingDefinition[] = SETTING_NAMES.map((key) => {
  const leaf = leafAt(key);
  const more = SETTABLE[key];
  const { description } = configKeys.find(({ path }) => path.join('.') === key)!;
  const choices = leaf instanceof z.ZodEnum ? (leaf.options as string[]) : null;
  return { key, type: typeOf(leaf), description, choices, schema: more ? leaf.pipe(more as never) : leaf };
});

export const atKey = (tree: object, key: string): unknown =>
  key.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], tree);

interface CheckNeeds {
  config: Config;
  /** Names of the themes there are. */
  themes: string[];
  /** Names of the languages there are. */
  locales: string[];
}

/** The settings, with what some of them can be here. */
export const settingsHere = ({ locales }: Pick<CheckNeeds, 'locales'>): SettingDefinition[] =>
  SETTINGS.map((one) => (one.key === 'brand.locale' ? { ...one, choices: locales } : one));

/** @returns what gives a value as it is kept, or throws invalid_input that names the setting. */
export function createSettingCheck({ config, themes, locales }: CheckNeeds) {
  return (key: string, value: unknown): unknown => {
    const definition = SETTINGS.find((one) => one.key === key);
    if (!definition) throw invalidInput(`${key} cannot be set here`, key);
    const parsed = definition.schema.safeParse(value);
    if (!parsed.success) throw invalidInput(`${key} ${parsed.error.issues[0]!.message}`, key);
    if (key === 'brand.theme' && !themes.includes(String(parsed.data)))
      throw invalidInput(`${key} must be one of ${themes.join(', ') || 'none, for there is none in themes_dir'}`, key);
    if (key === 'brand.locale' && !locales.includes(String(parsed.data)))
      throw invalidInput(`${key} must be one of ${locales.join(', ')}`, key);
    const longest = config.keys.retirement - PUBLISHING_MARGIN;
    if (['lifetimes.access_token', 'lifetimes.id_token'].includes(key) && Number(parsed.data) > longest)
      throw invalidInput(`${key} must be at most ${longest}: keys.retirement keeps keys no longer`, key);
    return parsed.data;
  };
}

/**
 * The configuration with what admins set laid over it. Whoever reads a key at the moment of use reads what is in force then.
 * @param values in force, by key.
 */
export function layOver(config: Config, values: () => Record<string, unknown>): Config {
  const laid: Record<string, unknown> = { ...config };
  for (const part of new Set(SETTING_NAMES.map((key) => key.split('.')[0]!))) {
    const own = config[part as keyof Config] as object;
    const layered = { ...own };
    for (const key of SETTING_NAMES.filter((name) => name.startsWith(`${part}.`))) {
      const standard = atKey(config, key);
      Object.defineProperty(layered, key.slice(part.length + 1), {
        enumerable: true,
        get: () => values()[key] ?? standard,
      });
    }
    laid[part] = layered;
  }
  return laid as unknown as Config;
}
