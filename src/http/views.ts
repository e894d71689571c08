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

export function createDraw({ cache, overrideOf = () => undefined }: Needs): Draw {
  const compiled = new Map<string, Template>();
  const found = new Map<string, string>();

  function template(view: string, theme: string): Template {
    const key = `${theme}\n${view}`;
    const known = compiled.get(key);
    if (known) return known;
    const filename = overrideOf(theme, view) ?? fileOf(view);
    const made = ejs.compile(readFileSync(filename, 'utf8'), { filename }) as Template;
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
    return template(view, theme)({ ...locals, include });
  }

  return async (view, locals, theme = '') => draw(view, locals, theme);
}
