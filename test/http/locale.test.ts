/** The language of a page, and what is put into texts that run from right to left. */
import type { Context } from 'koa';
import { describe, expect, it } from 'vitest';
import { loadLocales } from '../../src/http/locale.ts';

const locales = await loadLocales();
const asks = (...wished: string[]) =>
  ({ acceptsLanguages: (...known: string[]) => known.find((one) => wished.includes(one)) ?? false }) as Context;

describe('a page', () => {
  it('is in the language that the browser asks for, unless the app asks for another', () => {
    expect(locales.choose(asks('ja')).lang).toBe('ja');
    expect(locales.choose(asks('ja'), 'xx ar').lang).toBe('ar');
    expect(locales.choose(asks('xx')).lang).toBe('en');
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
});
