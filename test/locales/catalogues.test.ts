/** The texts: every language says everything, with the same values in it, and nothing that no page says. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ACT_TYPES, EVENT_TYPES } from '../../src/audit/event.ts';
import { flatten } from '../../src/http/strings.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PLURAL = /_(zero|one|two|few|many|other)$/;

const catalogue = (lang: string) =>
  flatten(JSON.parse(readFileSync(path.join(ROOT, 'locales', `${lang}.json`), 'utf8')) as object);
const languages = readdirSync(path.join(ROOT, 'locales')).map((file) => file.replace('.json', ''));
const english = catalogue('en');
const bases = (texts: Record<string, string>) => new Set(Object.keys(texts).map((key) => key.replace(PLURAL, '')));
const values = (text: string) => [...new Set([...text.matchAll(/{{\s*(\w+)/g)].map(([, name]) => name!))].sort();

const sources = ['src', 'views', 'public']
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|ejs)$/.test(file))
      .map((file) => readFileSync(path.join(ROOT, folder, file), 'utf8')),
  )
  .join('\n');

/** Keys written out, and the beginnings of those that are put together (`` `error.title.${key}` ``, `'mail.fact.' + name`). */
const quoted = new Set([...sources.matchAll(/['"`]([a-z][\w-]*(?:\.[\w-]+)+)['"`]/g)].map(([, key]) => key!));
const patterns = [...sources.matchAll(/[`'"]([a-z_]+\.[\w.-]*)(?:\$\{[^`]*?\}([\w.]*)`|['"]\s*\+)/g)].map(
  ([, start, end = '']) => ({ start: start!, end }),
);
/** Mails say their own texts by the last part of the key. */
const mailTexts = new Set(
  [...sources.matchAll(/\bsay\(\s*(?:[^'")]*\?\s*)?'(\w+)'(?:\s*:\s*'(\w+)')?/g)].flatMap((found) => found.slice(1)),
);

/** An area that is named in one place, and the text of it in another: `` `${area}.heading` ``. */
const ofAnArea = new Set([...sources.matchAll(/`\$\{\w+\}\.([\w.]+)`/g)].map(([, end]) => end!));
const isOfAnArea = (key: string) =>
  [...ofAnArea].some((end) => key.endsWith(`.${end}`) && quoted.has(key.slice(0, -end.length - 1)));

const isSaid = (key: string) =>
  quoted.has(key) ||
  isOfAnArea(key) ||
  patterns.some(({ start, end }) => key.startsWith(start) && key.endsWith(end)) ||
  (key.startsWith('mail.') && mailTexts.has(key.split('.').at(-1)!)) ||
  key.endsWith('.subject');

describe('the texts', () => {
  it('have none that no page says', () => {
    expect([...bases(english)].filter((key) => !isSaid(key))).toEqual([]);
  });

  it('have every one that a page says', () => {
    const said = [...sources.matchAll(/\bt\(\s*'([a-z][\w-]*(?:\.[\w-]+)+)'/g)].map(([, key]) => key!);
    expect(said.length).toBeGreaterThan(100);
    const known = bases(english);
    expect(said.filter((key) => !known.has(key))).toEqual([]);
  });

  it('have words for all that can happen', () => {
    const words = bases(english);
    expect(EVENT_TYPES.filter((type) => !words.has(`portal.activity.type.${type}`))).toEqual([]);
    expect(ACT_TYPES.filter((type) => !words.has(`console.happened.${type}`))).toEqual([]);
  });

  it.each(languages)('are complete in %s', (lang) => {
    const texts = catalogue(lang);
    expect([...bases(texts)].sort()).toEqual([...bases(english)].sort());
    expect(Object.entries(texts).filter(([key, text]) => text.trim() === '' && english[key] !== '')).toEqual([]);
  });

  it.each(languages)('have every plural of %s', (lang) => {
    const texts = catalogue(lang);
    const categories = new Intl.PluralRules(lang).resolvedOptions().pluralCategories;
    const counted = [...bases(english)].filter((key) => `${key}_other` in english);
    const missing = counted.flatMap((key) =>
      categories.map((one) => `${key}_${one}`).filter((form) => !(form in texts)),
    );
    expect(missing).toEqual([]);
  });

  it.each(languages)('put the same values in in %s', (lang) => {
    const texts = catalogue(lang);
    const wrong = Object.entries(texts).filter(([key, text]) => {
      const original = english[key] ?? english[`${key.replace(PLURAL, '')}_other`]!;
      const own = values(text).filter((name) => !(name === 'count' && PLURAL.test(key)));
      return (
        JSON.stringify(own) !==
        JSON.stringify(values(original).filter((name) => !(name === 'count' && PLURAL.test(key))))
      );
    });
    expect(wrong).toEqual([]);
  });
});
