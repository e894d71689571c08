/** The EJS templates in `views/`, for pages and mails alike. */
import path from 'node:path';
import ejs from 'ejs';

const VIEWS = path.resolve(import.meta.dirname, '../../views');

/** Draws `views/<view>.ejs`. */
export type Draw = (view: string, locals: object) => Promise<string>;

/** @param cache keep compiled templates: anywhere but where they are being worked on. */
export function createDraw({ cache }: { cache: boolean }): Draw {
  const options = { cache, root: VIEWS };
  return (view, locals) => ejs.renderFile(path.join(VIEWS, `${view}.ejs`), locals, options);
}
