/** Lists of the console: what is looked for, and the way from page to page. */
import type { Context } from 'koa';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';

export const PAGE = 25;

/** A parameter of the address, where it is given once. */
export function asked(ctx: Context, name: string): string {
  const value = ctx.query[name];
  return typeof value === 'string' ? value.slice(0, 300).trim() : '';
}

/** @returns undefined for what is not among `known`. */
export const oneOf = <T extends string>(value: string, known: readonly T[]): T | undefined =>
  known.find((one) => one === value);

/** One page; the first where the address says one that there is not. */
export async function pageOf<T>(ctx: Context, read: (page: PageRequest) => Promise<Page<T>>): Promise<Page<T>> {
  const after = asked(ctx, 'after');
  try {
    return await read({ limit: PAGE, after: after === '' ? undefined : after });
  } catch (error) {
    if (!isGatehouseError(error, 'invalid_input')) throw error;
    return read({ limit: PAGE });
  }
}

/** Addresses of the first and of the next page, with what is looked for. */
export function pagesOf(ctx: Context, url: string, filters: Record<string, string>, next: string | undefined) {
  const given = Object.entries(filters).filter(([, value]) => value !== '');
  const at = (more: [string, string][]) => {
    const query = new URLSearchParams([...given, ...more]).toString();
    return query === '' ? url : `${url}?${query}`;
  };
  return {
    first_url: asked(ctx, 'after') === '' ? null : at([]),
    next_url: next === undefined ? null : at([['after', next]]),
  };
}
