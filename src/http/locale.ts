/** The message catalogues in `locales/`, and which one a request gets. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import i18next from 'i18next';
import type { TFunction } from 'i18next';
import type { Context } from 'koa';

const FOLDER = path.resolve(import.meta.dirname, '../../locales');
const FALLBACK = 'en';

export interface Locale {
  lang: string;
  dir: 'ltr' | 'rtl';
  t: TFunction;
}

export interface Locales {
  /** The best language for `ui_locales` (OpenID Connect Core, section 3.1.2.1), then for `Accept-Language`. */
  choose(ctx: Context, uiLocales?: string): Locale;
  /** The language with this tag, or the nearest that there is, for what is written when nobody asks. */
  of(tag: string): Locale;
}

/** Escaping is the templates' business. */
export async function loadLocales(): Promise<Locales> {
  const names = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));
  const resources = Object.fromEntries(
    names.map((name) => [
      name,
      { translation: JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), 'utf8')) as object },
    ]),
  );
  const i18n = i18next.createInstance();
  await i18n.init({
    resources,
    fallbackLng: FALLBACK,
    supportedLngs: names,
    interpolation: { escapeValue: false },
    showSupportNotice: false,
  } as never);

  const known = (tag: string) =>
    names.find((name) => name.toLowerCase() === tag.toLowerCase()) ??
    names.find((name) => name === tag.split('-')[0]?.toLowerCase());

  const locale = (lang: string): Locale => ({ lang, dir: i18n.dir(lang), t: i18n.getFixedT(lang) });

  return {
    of: (tag) => locale(known(tag) ?? FALLBACK),
    choose(ctx, uiLocales = '') {
      const wished = uiLocales.split(' ').filter(Boolean).map(known).find(Boolean);
      const lang = wished ?? (ctx.acceptsLanguages(FALLBACK, ...names) || FALLBACK);
      return locale(lang);
    },
  };
}
