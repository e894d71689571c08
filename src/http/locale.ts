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
  return ((key: string, values: object = {}) =>
    t(key, Object.fromEntries(Object.entries(values).map(isolated)) as never)) as TFunction;
};

export interface Locale {
  lang: string;
  dir: 'ltr' | 'rtl';
  t: TFunction;
}

export interface Locales {
  /** The English texts, flat: those that a theme may change. */
  catalogue: Strings;
  /** Gives a theme texts of its own. */
  addTheme(name: string, strings: Record<string, Strings>): void;
  /** The best language for `ui_locales` (OpenID Connect Core, section 3.1.2.1), then for `Accept-Language`. */
  choose(ctx: Context, uiLocales?: string, theme?: string): Locale;
  /** The language with this tag, or the nearest that there is, for what is written when nobody asks. */
  of(tag: string, theme?: string): Locale;
}

/** Escaping is the templates' business. */
export async function loadLocales(): Promise<Locales> {
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

  function locale(lang: string, theme?: string): Locale {
    // Read when it is first spoken: most installations need one or two of them.
    if (!i18n.hasResourceBundle(lang, NAMESPACE)) i18n.addResourceBundle(lang, NAMESPACE, read(lang));
    const t = i18n.getFixedT(lang, theme === undefined ? NAMESPACE : [namespaceOf(theme), NAMESPACE]);
    return { lang, dir: i18n.dir(lang), t };
  }

  return {
    catalogue: flatten(english),
    addTheme(name, strings) {
      for (const [lang, texts] of Object.entries(strings)) i18n.addResources(lang, namespaceOf(name), texts);
    },
    of: (tag, theme) => locale(known(tag) ?? FALLBACK, theme),
    choose(ctx, uiLocales = '', theme = undefined) {
      const wished = uiLocales.split(' ').filter(Boolean).map(known).find(Boolean);
      const chosen = locale(wished ?? (ctx.acceptsLanguages(FALLBACK, ...names) || FALLBACK), theme);
      return chosen.dir === 'rtl' ? { ...chosen, t: isolating(chosen.t) } : chosen;
    },
  };
}
