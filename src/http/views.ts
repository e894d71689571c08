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

export function createDraw({ cache, overrideOf = () => undefined }: Needs): Draw {
  const compiled = new Map<string, Template>();
  const found = new Map<string, string>();

  function template(view: string, theme: string, names: string[]): Template {
    const key = `${theme}\n${view}\n${names.join()}`;
    const known = compiled.get(key);
    if (known) return known;
    const made = compile(overrideOf(theme, view) ?? fileOf(view), names);
    if (cache) compiled.set(key, made);
    return made;
  }

  function includedBy(view: string, target: string): string {
    const key = `${view}\n${target}`;
    const known = found.get(key);
    if (known !== undefined) return known;
    const made = included(view, target);
    if (cache) found.set(key, made);
    return made;
  }

  /** Templates find `include` among their locals, before the library's own, which knows no themes. */
  function draw(view: string, locals: object, theme: string): string {
    const include = (target: string, more: object = {}) =>
      draw(includedBy(view, target), { ...locals, ...more }, theme);
    const all = { ...locals, include };
    return template(view, theme, Object.keys(all))(all);
  }

  return async (view, locals, theme = '') => draw(view, locals, theme);
}
