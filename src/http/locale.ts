/** The message catalogues in `locales/`, and which one a request gets. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import i18next from 'i18next';
import type { TFunction } from 'i18next';
import type { Context } from 'koa';
import { flatten } from './strings.ts';
import type { Strings } from './strings.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../locales');
const FALLBACK = 'en';
const NAMESPACE = 'translation';
const namespaceOf = (theme: string) => `theme-${theme}`;

/**
 * Texts that run from right to left keep what is put into them together (U+2068, U+2069), as `<bdi>` does: without it, the
 * ends of "+49 30 1234" and "Acme!" change places.
 */
const isolating = (t: TFunction): TFunction => {
  const isolated = ([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' && name !== 'defaultValue' ? `\u2068${value}\u2069` : value,
  ];
  return ((key: string, values?: object) =>
    values ? t(key, Object.fromEntries(Object.entries(values).map(isolated)) as never) : t(key)) as TFunction;
};

const PLACE = /\{\{(\w+)\}\}/;
/** Of what i18next knows besides places (`{{n, number}}`, `$t(...)`), and how it is told which text is meant. */
const MORE = /\{\{|\$t\(/;
const CHOOSING = ['count', 'context', 'defaultValue', 'lng', 'ns'];

/** Whether these are values alone, and tell i18next nothing. */
const isPlain = (values: unknown): values is Record<string, unknown> =>
  typeof values === 'object' && values !== null && !CHOOSING.some((name) => name in values);

/** A text at its places: what is around them and, between that, their names. Undefined where there is more in it. */
function cut(text: string): string[] | undefined {
  const parts = text.split(PLACE);
  return parts.some((part, at) => at % 2 === 0 && MORE.test(part)) ? undefined : parts;
}

/** @returns undefined where there is more in the text, or a value is missing or not to be written as it is. */
function fill(parts: string[] | undefined, values: Record<string, unknown>): string | undefined {
  if (!parts) return undefined;
  let text = parts[0]!;
  for (let at = 1; at < parts.length; at += 2) {
    const value = values[parts[at]!];
    if (typeof value !== 'string' && typeof value !== 'number') return undefined;
    text += `${value}${parts[at + 1]!}`;
  }
  return text;
}

/** Looks a text up once: a page has thirty of them, and most of what one costs is finding it. What the catalogue lacks is not kept. */
function remembering(t: TFunction): TFunction {
  const make = t as (key: string | string[], values: object) => string;
  const known = new Map<string, string[] | undefined>();

  function partsOf(key: string): string[] | undefined {
    if (known.has(key)) return known.get(key);
    const text = make(key, { skipInterpolation: true });
    const parts = cut(text);
    if (text !== key) known.set(key, parts);
    return parts;
  }

  // A theme's templates may ask in any way that i18next knows.
  return ((key: string | string[], values: unknown = {}) => {
    const text = typeof key === 'string' && isPlain(values) ? fill(partsOf(key), values) : undefined;
    return text ?? make(key, values as object);
  }) as TFunction;
}

export interface Locale {
  /** Of the catalogue. */
  lang: string;
  /** For dates and numbers: the language with the region, where one is known (`en-GB`). */
  tag: string;
  dir: 'ltr' | 'rtl';
  t: TFunction;
}

export interface Locales {
  /** Tags of all of them, each with its own name for itself. */
  languages: { lang: string; name: string }[];
  /** The English texts, flat: those that a theme may change. */
  catalogue: Strings;
  /** Gives a theme texts of its own. */
  addTheme(name: string, strings: Record<string, Strings>): void;
  /**
   * What the app wishes by `ui_locales` (OpenID Connect Core, section 3.1.2.1), then what was chosen in this browser, then what
   * the person reads, then `Accept-Language`.
   */
  choose(ctx: Context, uiLocales?: string, theme?: string): Locale;
  /**
   * The first of these tags that there is, or is nearest, for what is written when nobody asks.
   * @param tags with spaces between; none at all, the empty text, gives the language that is set for all.
   */
  of(tags: string, theme?: string): Locale;
}

/** Notes whose page this is: it is in the language of their profile, unless app or browser ask for another. */
export function noteReader(ctx: Context, { claims }: { claims: { locale?: string } }): void {
  ctx.state['reader_locale'] = claims.locale;
}

interface Needs {
  /** The language that was chosen in a browser. */
  chosen?: (ctx: Context) => string | undefined;
  /** Of whom nothing is known, as it is set now. */
  standard?: () => string;
}

/** Its name in itself, as people look for it. */
function nameOf(lang: string): string {
  const name = new Intl.DisplayNames([lang], { type: 'language' }).of(lang) ?? lang;
  return name.slice(0, 1).toLocaleUpperCase(lang) + name.slice(1);
}

/** The tag as it is written properly, or undefined where it is none. */
function canonical(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}

/** Escaping is the templates' business. */
export async function loadLocales({
  chosen = () => undefined,
  standard = () => FALLBACK,
}: Needs = {}): Promise<Locales> {
  const names = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));
  const read = (name: string) => JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), 'utf8')) as object;
  const english = read(FALLBACK);
  const i18n = i18next.createInstance();
  await i18n.init({
    resources: { [FALLBACK]: { [NAMESPACE]: english } },
    fallbackLng: FALLBACK,
    ns: [NAMESPACE],
    defaultNS: NAMESPACE,
    supportedLngs: names,
    interpolation: { escapeValue: false },
    showSupportNotice: false,
  } as never);

  const known = (tag: string) =>
    names.find((name) => name.toLowerCase() === tag.toLowerCase()) ??
    names.find((name) => name === tag.split('-')[0]?.toLowerCase());

  /** The first wish that there is a catalogue for. */
  function best(wishes: string[], theme?: string): Locale {
    const lang = wishes.map(known).find((found) => found !== undefined) ?? standard();
    const regional = wishes.find((wish) => wish.includes('-') && known(wish) === lang);
    return locale(lang, (regional && canonical(regional)) ?? lang, theme);
  }

  const spoken = new Map<string, Pick<Locale, 'dir' | 't'>>();

  function locale(lang: string, tag: string, theme?: string): Locale {
    const name = `${lang} ${theme ?? ''}`;
    let found = spoken.get(name);
    if (!found) {
      // Read when it is first spoken: most installations need one or two of them.
      if (!i18n.hasResourceBundle(lang, NAMESPACE)) i18n.addResourceBundle(lang, NAMESPACE, read(lang));
      const t = i18n.getFixedT(lang, theme === undefined ? NAMESPACE : [namespaceOf(theme), NAMESPACE]);
      found = { dir: i18n.dir(lang), t: remembering(t) };
      spoken.set(name, found);
    }
    return { lang, tag, ...found };
  }

  return {
    languages: names.map((lang) => ({ lang, name: nameOf(lang) })),
    catalogue: flatten(english),
    addTheme(name, strings) {
      for (const [lang, texts] of Object.entries(strings)) i18n.addResources(lang, namespaceOf(name), texts);
      spoken.clear();
    },
    of: (tags, theme) => best(tags.split(' '), theme),
    choose(ctx, uiLocales = '', theme = undefined) {
      const own = [chosen(ctx), ctx.state['reader_locale'] as string | undefined].filter((tag) => tag !== undefined);
      const found = best([...uiLocales.split(' '), ...own, ...ctx.acceptsLanguages()], theme);
      return found.dir === 'rtl' ? { ...found, t: isolating(found.t) } : found;
    },
  };
}
