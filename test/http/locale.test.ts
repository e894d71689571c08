/** The language of a page, and what is put into texts that run from right to left. */
import { readFileSync } from 'node:fs';
import i18next from 'i18next';
import type { Context } from 'koa';
import { describe, expect, it } from 'vitest';
import { loadLocales, noteReader } from '../../src/http/locale.ts';
import { flatten } from '../../src/http/strings.ts';

let inCookie: string | undefined;
const locales = await loadLocales({ chosen: () => inCookie });
const asks = (...wished: string[]) => ({ acceptsLanguages: () => wished, state: {} }) as unknown as Context;

describe('a page', () => {
  it('is in the language that the browser asks for, unless the app asks for another', () => {
    expect(locales.choose(asks('ja')).lang).toBe('ja');
    expect(locales.choose(asks('ja'), 'xx ar').lang).toBe('ar');
    expect(locales.choose(asks('xx')).lang).toBe('en');
  });

  it('is in what the app asks for, then what was chosen here, then what the person reads, then what the browser asks for', () => {
    const ctx = asks('fr');
    noteReader(ctx, { claims: { locale: 'es-MX' } });
    expect(locales.choose(ctx).lang).toBe('es');
    inCookie = 'pt';
    expect(locales.choose(ctx).lang).toBe('pt');
    expect(locales.choose(ctx, 'ja').lang).toBe('ja');
    inCookie = 'xx';
    expect(locales.choose(ctx).lang).toBe('es');
    inCookie = undefined;
  });

  it('writes dates as they are written where the person is', () => {
    expect(locales.choose(asks('en-GB', 'en')).tag).toBe('en-GB');
    expect(locales.choose(asks('de-AT'), 'de').tag).toBe('de-AT');
    expect(locales.choose(asks('fr', 'de-AT')).tag).toBe('fr');
    expect(locales.choose(asks('en-_')).tag).toBe('en');
    expect(locales.of('nl de-CH').lang).toBe('de');
  });

  it('keeps values together where text runs from right to left', () => {
    const { dir, t } = locales.choose(asks('ar'));
    expect(dir).toBe('rtl');
    expect(t('consent.phone_verified', { phone: '+49 30 1234' })).toContain('\u2068+49 30 1234\u2069');
    expect(t('limited.tries', { count: 3 })).not.toContain('\u2068');
    expect(t('playground.claim.nothing', { defaultValue: '' })).toBe('');
  });

  it('puts nothing round values elsewhere', () => {
    const { t } = locales.choose(asks('en'));
    expect(t('sign_in.heading', { client: 'Acme!' })).toBe('Sign in to Acme!');
  });

  it('says of each app what it says of it, whatever it said before', () => {
    const { t } = locales.of('en');
    const names = Array.from({ length: 3000 }, (_, i) => `App ${i % 2500}`);
    for (const client of names) expect(t('sign_in.heading', { client })).toBe(`Sign in to ${client}`);
    expect(locales.of('de').t('sign_in.heading', { client: 'App 1' })).toBe('Bei App 1 anmelden');
    expect(t('no.such.text')).toBe('no.such.text');
  });

  it('says what i18next says, of every text in every language', async () => {
    const plain = i18next.createInstance();
    await plain.init({ fallbackLng: 'en', interpolation: { escapeValue: false }, showSupportNotice: false } as never);
    const value = "Acme & Sons' $& $t(sign_in.submit) {{client}}";
    for (const { lang } of locales.languages) {
      const file = new URL(`../../locales/${lang}.json`, import.meta.url);
      const texts = JSON.parse(readFileSync(file, 'utf8')) as Parameters<typeof flatten>[0];
      plain.addResourceBundle(lang, 'translation', texts);
      // Where text runs from right to left only pages put something round values.
      const { t } = locales.of(lang);
      const theirs = plain.getFixedT(lang);
      for (const [key, text] of Object.entries(flatten(texts))) {
        const names = [...text.matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1]!);
        const values = Object.fromEntries(names.map((name) => [name, name === 'count' ? 3 : value]));
        expect(t(key, values)).toBe(theirs(key, values));
        expect(t(key)).toBe(theirs(key));
      }
    }
  });

  it('leaves to i18next what only it knows', () => {
    const strings = { 'greeting.all': 'Hi {{ name }}, $t(sign_in.submit): {{n, number}} {{missing}}' };
    locales.addTheme('busy', { en: strings });
    const { t } = locales.of('en', 'busy');
    expect(t(['greeting.none', 'sign_in.heading'], { client: 'Acme' })).toBe('Sign in to Acme');
    expect(t('greeting.none', 'Hello')).toBe('Hello');
    expect(t('sign_in.heading', { client: 'Acme', lng: 'de' })).toBe('Bei Acme anmelden');
    expect(t('greeting.all', { name: 'Ada', n: 1234 })).toBe('Hi Ada, Sign in: 1,234 {{missing}}');
  });

  it('has the texts of a theme as soon as there are some', () => {
    const before = locales.of('en', 'harbour').t('sign_in.submit');
    locales.addTheme('harbour', { en: { 'sign_in.submit': 'Come aboard' } });
    expect(locales.of('en', 'harbour').t('sign_in.submit')).toBe('Come aboard');
    expect(locales.of('en').t('sign_in.submit')).toBe(before);
  });
});
