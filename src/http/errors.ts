/** The one place that turns a thrown error into an answer: a page for people, JSON for programs, never a stack. */
import type { Context, Middleware } from 'koa';
import { isGatehouseError, RETRY_AFTER_SECONDS } from '../kernel/errors.ts';
import { newReference } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Render } from './render.ts';

/** Catalogue keys of the page for a status: `error.title.*` and `error.text.*`. */
const KEY_BY_STATUS: Record<number, string> = {
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  429: 'limited',
  503: 'unavailable',
};

const NAME_BY_STATUS: Record<number, string> = {
  403: 'access_denied',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'too_large',
  429: 'too_many_requests',
  503: 'temporarily_unavailable',
};

export const errorKey = (status: number): string =>
  KEY_BY_STATUS[status] ?? (status >= 500 ? 'server_error' : 'bad_request');

/** The status an error asks for: ours carry one, http-errors of libraries carry one that may be shown. */
export function statusOf(error: unknown): number {
  if (isGatehouseError(error)) return error.status;
  const { status, expose } = error as { status?: unknown; expose?: unknown };
  return typeof status === 'number' && expose === true ? status : 500;
}

export interface ErrorAnswer {
  status: number;
  /** Shown to people at the foot of the page and logged with the cause. */
  reference: string;
  /** The start page, for who looks for what is not there. */
  home?: string | undefined;
  /** Seconds to wait, for 429 and 503. */
  retryAfter?: number | undefined;
}

/** What the answer to an error says about when to come back. */
export const retryAfterOf = (error: unknown): number | undefined =>
  isGatehouseError(error) ? error.retryAfter : undefined;

/** Answers with a page or JSON by what the caller accepts. */
export async function answerError(
  ctx: Context,
  render: Render,
  { status, reference, retryAfter, home }: ErrorAnswer,
): Promise<void> {
  ctx.remove('Location'); // of what was to be answered: it may bear a code
  if (status === 503 || status === 429) ctx.set('Retry-After', String(retryAfter ?? RETRY_AFTER_SECONDS));
  if (ctx.accepts('json', 'html') !== 'html') {
    ctx.status = status;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { error: NAME_BY_STATUS[status] ?? (status >= 500 ? 'server_error' : 'invalid_request'), reference };
    return;
  }
  const home_url = status === 404 ? home : undefined;
  await renderErrorPage(ctx, render, { key: errorKey(status), status, reference, ...(home_url ? { home_url } : {}) });
}

export interface ErrorPage {
  /** Which texts of the catalogue: `error.title.<key>` and `error.text.<key>`. */
  key: string;
  status: number;
  reference?: string;
  variables?: Record<string, unknown>;
  /** Shows `error.detail.<key>` too. */
  detail?: boolean;
  home_url?: string;
}

export async function renderErrorPage(
  ctx: Context,
  render: Render,
  { key, status, reference, variables, detail, home_url }: ErrorPage,
): Promise<void> {
  await render(
    ctx,
    'http/error',
    (t) => ({
      status,
      title: t(`error.title.${key}`),
      text: t(`error.text.${key}`, { ...variables }),
      detail: detail ? t(`error.detail.${key}`, { ...variables }) : null,
      home_url: home_url ?? null,
    }),
    { title: [`error.title.${key}`], status, ...(reference === undefined ? {} : { reference }) },
  );
}

interface ErrorNeeds {
  render: Render;
  log: Logger;
  home: string;
  /** Keeps what was refused for the admin who is told the reference code. */
  refused(ctx: Context, refusal: { reference: string; status: number; error: unknown }): void;
}

/** Catches what the routes throw, and gives unknown paths their page. */
export const handleErrors =
  ({ render, log, home, refused }: ErrorNeeds): Middleware =>
  async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined)
        await answerError(ctx, render, { status: 404, reference: newReference(), home });
    } catch (error) {
      const status = statusOf(error);
      const reference = newReference();
      const fields = { reference, status, method: ctx.method, path: ctx.path, err: error };
      if (status >= 500) log.error(fields, 'a request failed');
      else log.info(fields, 'a request was refused');
      refused(ctx, { reference, status, error });
      await answerError(ctx, render, { status, reference, retryAfter: retryAfterOf(error), home });
    }
  };
