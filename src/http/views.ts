/** The EJS templates in `views/`, for pages and mails alike, and what a theme puts in their place. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ejs from 'ejs';

export const VIEWS = path.resolve(import.meta.dirname, '../../views');

/** Draws `views/<view>.ejs`, or the theme's template of that name. */
export type Draw = (view: string, locals: object, theme?: string) => Promise<string>;

type Template = (locals: object) => string;

interface Needs {
  /** Keep compiled templates: anywhere but where they are being worked on. */
  cache: boolean;
  /** The file with which a theme overrides a template, if it does. */
  overrideOf?: (theme: string, view: string) => string | undefined;
}

const fileOf = (view: string) => path.join(VIEWS, `${view}.ejs`);

/** What `include(target)` in the template `view` means: beside it, or from the top of the templates. */
export function included(view: string, target: string): string {
  const beside = path.posix.join(path.posix.dirname(view), target);
  return existsSync(fileOf(beside)) ? beside : path.posix.normalize(target).replace(/^\//, '');
}

/**
 * Compiles a template whose locals are variables: by the library's own `with` each is looked for anew wherever it is named, which is
 * half the time that a page takes. In a block, as a template may declare what has the name of a local.
 */
function compile(filename: string, names: string[]): Template {
  const text = readFileSync(filename, 'utf8');
  try {
    return ejs.compile(`<% { %>${text}<% } %>`, { filename, _with: false, destructuredLocals: names });
  } catch {
    // A theme's own may declare such a name by `var`, or not be a template: then it says why.
    return ejs.compile(text, { filename });
  }
}

/** The names of locals, in their order: a template is compiled for each such set that it is drawn with. */
interface Names {
  all: string[];
  /** These with more, by what those are. */
  more: Map<string, Names>;
  templates: Map<string, Template>;
}

/** @returns what is kept at `key`; made, and kept if `keep`, where there is none. */
function kept<T>(map: Map<string, T>, key: string, make: () => T, keep = true): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (keep) map.set(key, made);
  return made;
}

export function createDraw({ cache, overrideOf = () => undefined }: Needs): Draw {
  const found = new Map<string, string>();
  const sets = new Map<string, Names>();

  const namesOf = (all: string[]): Names =>
    kept(sets, all.join(), () => ({ all, more: new Map(), templates: new Map() }));

  const withMore = ({ all, more }: Names, names: string[]): Names =>
    kept(more, names.join(), () => namesOf([...new Set([...all, ...names])]));

  const includedBy = (view: string, target: string): string =>
    kept(found, `${view}\n${target}`, () => included(view, target), cache);

  const template = (view: string, theme: string, { all, templates }: Names): Template =>
    kept(templates, `${theme}\n${view}`, () => compile(overrideOf(theme, view) ?? fileOf(view), all), cache);

  /** Templates find `include` among their locals, before the library's own, which knows no themes. */
  function draw(view: string, theme: string, locals: object, names: Names): string {
    const include = (target: string, more?: object | null) =>
      draw(includedBy(view, target), theme, { ...locals, ...more }, withMore(names, Object.keys(more ?? {})));
    return template(view, theme, names)({ ...locals, include });
  }

  return async (view, locals, theme = '') => draw(view, theme, locals, namesOf(['include', ...Object.keys(locals)]));
}
