import { invalidInput } from './errors.ts';

/** One page of a listing, oldest first. */
export interface Page<T> {
  items: T[];
  /** Give it as `after` for the next page; undefined on the last one. */
  next: string | undefined;
}

export interface PageRequest {
  /** The `next` of the page before. */
  after?: string | undefined;
  /** 1 to 500. */
  limit?: number | undefined;
}

/** Where a page ended: the creation time and id of its last item. */
export type Position = [createdAt: string, id: string];

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

export const encodePosition = (position: Position): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url');

/** @throws invalid_input when the cursor or limit is not ours. */
export function readPageRequest({ after, limit = DEFAULT_LIMIT }: PageRequest): {
  position: Position | undefined;
  limit: number;
} {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalidInput(`limit must be a whole number from 1 to ${MAX_LIMIT}`, 'limit');
  }
  return { position: after === undefined ? undefined : decodePosition(after), limit };
}

function decodePosition(cursor: string): Position {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string'))
      return value as Position;
  } catch {
    // falls through to the one error below
  }
  throw invalidInput('the cursor is not one that a listing gave', 'after');
}

/** Cuts a listing that was read one item too long into a page. */
export function toPage<T extends { id: string; created_at: string }>(items: T[], limit: number): Page<T> {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return { items: page, next: items.length > limit && last ? encodePosition([last.created_at, last.id]) : undefined };
}
