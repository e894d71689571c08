import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import { invalidInput, tooLarge } from '../kernel/errors.ts';

const LIMIT = '56kb';

/** Reads the body of our own forms; the library reads its own. */
export const readForm = (): Middleware =>
  bodyParser({
    enableTypes: ['form'],
    formLimit: LIMIT,
    onError(error, ctx) {
      // What nobody reads would hold the connection up.
      ctx.req.resume();
      throw (error as { status?: number }).status === 413
        ? tooLarge('The form is too large.')
        : invalidInput('The form could not be read.');
    },
  }) as Middleware;

/** A form field as text; missing or repeated fields are empty. */
export function field(ctx: Context, name: string): string {
  const value = (ctx.request.body as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : '';
}

/** All values of a field that may be repeated. */
export function fields(ctx: Context, name: string): string[] {
  const value = (ctx.request.body as Record<string, unknown> | undefined)?.[name];
  return [value ?? []].flat().filter((entry) => typeof entry === 'string');
}

/** Names the fields that a form had: one that is not ticked sends nothing, as one does that the form did not know. */
export const ASKED_FIELD = '_fields';

/** The fields that a form had, as it says itself; undefined of a form that does not say. */
export function askedFields(ctx: Context): string[] | undefined {
  const asked = field(ctx, ASKED_FIELD);
  return asked === '' ? undefined : asked.split(' ');
}

/**
 * Whether a form that was sent had this field.
 * @param otherwise where it sends nothing for it and does not say which it had: so does one that is not ticked.
 */
export const isAnswered = (ctx: Context, name: string, otherwise = true): boolean =>
  fields(ctx, name).length > 0 || (askedFields(ctx)?.includes(name) ?? otherwise);
