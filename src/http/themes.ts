/**
 * Themes: folders that change how pages look and what they say. `theme.css` is laid over our style sheet, `logo.*` takes the place
 * of the mark, `locales/<language>.json` changes texts, `views/<name>.ejs` overrides a template, `assets/` is served.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { invalidInput } from '../kernel/errors.ts';
import type { Strings } from './strings.ts';
import { VIEWS } from './views.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,40}$/;
const LOGOS = ['logo.png', 'logo.jpg', 'logo.jpeg', 'logo.webp'];

/** What is wrong with a file of a theme. Unless `usable` it is left out: a page that looks plain is better than one that breaks. */
export interface ThemeProblem {
  file: string;
  line: number;
  problem: string;
  usable?: boolean;
}

export interface Theme {
  name: string;
  folder: string;
  has_css: boolean;
  /** File of the mark. */
  logo: string | null;
  /** Overridden templates by name, and their files. */
  views: Map<string, string>;
  strings: Record<string, Strings>;
  problems: ThemeProblem[];
}

export interface Themes {
  all: Theme[];
  find(name: string): Theme | undefined;
}

const below = (folder: string, extension: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(extension))
        .map((name) => name.slice(0, -extension.length).split(path.sep).join('/'))
        .sort()
    : [];

/** Names of all templates that a theme may override. */
export const templateNames = (): string[] => below(VIEWS, '.ejs');

/** Loaded only where there are themes: it brings a parser. */
async function loadTheme(folder: string, catalogue: Strings): Promise<Theme> {
  const { checkStrings, checkTemplate } = await import('./theme-check.ts');
  const problems: ThemeProblem[] = [];
  const builtIn = templateNames();
  const keep = (file: string, found: Omit<ThemeProblem, 'file'>[]): boolean => {
    problems.push(...found.map((problem) => ({ file, ...problem })));
    return found.every(({ usable }) => usable);
  };
  const views = below(path.join(folder, 'views'), '.ejs')
    .map((name): [string, string] => [name, path.join(folder, 'views', `${name}.ejs`)])
    .filter(([name, file]) => keep(file, checkTemplate(name, readFileSync(file, 'utf8'), { builtIn, catalogue })));
  const strings: Record<string, Strings> = {};
  for (const lang of below(path.join(folder, 'locales'), '.json')) {
    const file = path.join(folder, 'locales', `${lang}.json`);
    const { found, problems: wrong } = checkStrings(readFileSync(file, 'utf8'), catalogue);
    keep(file, wrong);
    strings[lang] = found;
  }
  return {
    name: path.basename(folder),
    folder,
    has_css: existsSync(path.join(folder, 'theme.css')),
    logo: LOGOS.map((name) => path.join(folder, name)).find((file) => existsSync(file)) ?? null,
    views: new Map(views),
    strings,
    problems,
  };
}

/**
 * @param dir folder of the themes; none need exist.
 * @param catalogue the English texts, flat.
 * @param chosen the theme of all pages. @throws invalid_input when there is no such theme.
 */
export async function loadThemes(dir: string, catalogue: Strings, chosen?: string): Promise<Themes> {
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => NAME.test(name)) : [];
  if (chosen !== undefined && !names.includes(chosen))
    throw invalidInput(`brand.theme: there is no theme ${chosen} in ${dir}`, 'brand.theme');
  const all = await Promise.all(names.map((name) => loadTheme(path.join(dir, name), catalogue)));
  return { all, find: (name) => all.find((theme) => theme.name === name) };
}
