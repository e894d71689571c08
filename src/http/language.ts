/**
 * The choice of a language at the foot of pages: a form that works without JavaScript. The browser keeps the choice in a cookie;
 * the room that knows who is signed in keeps it for their account too.
 */
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import { invalidInput } from '../kernel/errors.ts';
import { field, readForm } from './body.ts';
import type { Csrf } from './csrf.ts';

const TTL_SECONDS = 31_536_000;

const cookieName = (https: boolean) => `${https ? '__Host-' : ''}gatehouse_language`;

/** @returns what reads the language that was chosen in this browser. */
export const languageOfBrowser = (https: boolean) => (ctx: Pick<Context, 'cookies'>) =>
  ctx.cookies.get(cookieName(https), { signed: false });

/** Where the form of a page is sent to, and the page to come back to. */
export interface LanguageForm {
  action: string;
  return_to: string;
}

/** What a route knows of the page it draws. */
interface PageState {
  /** Where its language is chosen, unless that is `/language`. */
  language_action?: string;
  /** The page that a form which was not in order leads back to. */
  form_page?: string;
}

/** Says where the page of a form can be opened again, and where its language is chosen. */
export function notePage(ctx: Context, state: PageState): void {
  Object.assign(ctx.state, state);
}

/**
 * @param action the address for pages that name no other.
 * @returns undefined where the page could not be drawn once more: it answers a form, or goes on by itself.
 */
export function languageForm(
  ctx: Context,
  { action, status, moving }: { action: string; status: number; moving: boolean },
): LanguageForm | undefined {
  const { language_action = action, form_page } = ctx.state as PageState;
  const asked = ctx.method === 'GET' || ctx.method === 'HEAD';
  const return_to = asked ? ctx.originalUrl : status >= 400 ? form_page : undefined;
  return return_to === undefined || moving ? undefined : { action: language_action, return_to };
}

export interface Language {
  /** Reads the form, which was verified to be ours, and tells the browser. @returns the language. @throws invalid_input. */
  choose(ctx: Context): string;
  /** Goes back to the page of the form; to `fallback`, a path, where it names none below that. */
  goBack(ctx: Context, fallback: string): void;
}

interface Needs {
  issuer: string;
  languages: string[];
}

export function createLanguage({ issuer, languages }: Needs): Language {
  const { origin, protocol } = new URL(issuer);
  const secure = protocol === 'https:';

  /** Whole, as a path may look like another host to a browser (`//evil.example`). */
  function page(wish: string, fallback: string): string {
    const url = URL.parse(wish, origin);
    const inside = url?.origin === origin && `${url.pathname}/`.startsWith(`${fallback.replace(/\/$/, '')}/`);
    return inside ? url.href : origin + fallback;
  }

  return {
    choose(ctx) {
      const lang = field(ctx, 'lang');
      if (!languages.includes(lang)) throw invalidInput('There is no such language.', 'lang');
      const options = { signed: false, httpOnly: true, sameSite: 'lax', secure, path: '/' } as const;
      ctx.cookies.set(cookieName(secure), lang, { ...options, maxAge: TTL_SECONDS * 1000 });
      return lang;
    },
    goBack(ctx, fallback) {
      ctx.status = 303;
      ctx.redirect(page(field(ctx, 'return_to'), fallback));
    },
  };
}

interface RouteNeeds {
  language: Language;
  csrf: Csrf;
  /** The path to come back to where the form names no page of ours. */
  home: string;
  /** Keeps the choice for whoever is signed in. */
  keep(ctx: Context, lang: string): Promise<void>;
}

/** `POST /language`, for all pages but those of an interaction, whose cookie is sent to its own path alone. */
export function languageRoute({ language, csrf, home, keep }: RouteNeeds): Middleware {
  const chosen = compose<Context>([
    readForm(),
    async (ctx) => {
      csrf.verify(ctx, field(ctx, '_csrf'));
      await keep(ctx, language.choose(ctx));
      language.goBack(ctx, home);
    },
  ]);
  return (ctx, next) => (ctx.method === 'POST' ? chosen(ctx, next) : next());
}
