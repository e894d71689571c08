/**
 * Finding records by the beginnings of words. A record's words (of its name, e-mail address, id) and its marks (such as a role)
 * rest in one index, in byte order, so that a search walks one stretch of it and costs what it shows, on every driver alike.
 */
import { encodePosition, readPageRequest } from './paging.ts';
import type { Page, PageRequest, Position } from './paging.ts';

export interface Search extends PageRequest {
  /** What somebody typed: each of its words must begin a word of the record. */
  text?: string | undefined;
  /** Marks that it has. */
  having?: string[] | undefined;
  /** Marks that it does not have. */
  not?: string[] | undefined;
}

export interface Entry {
  word: string;
  id: string;
}

/** From `from` on, up to but without `to`, in byte order. */
export interface Range {
  from: string;
  to: string;
}

/** What a driver brings along for one kind of record. */
export interface Searchable<T> {
  /** Entries in order of word, then id, that come after a position. */
  scan(range: Range, after: Position | undefined, limit: number): Promise<Entry[]>;
  find(id: string): Promise<T | undefined>;
  list(page: PageRequest): Promise<Page<T>>;
  wordsOf(record: T): string[];
}

const WORD_MAX = 64;
const MOST_WORDS = 40;
/** Entries looked at for one page: a search that finds little stops there, with a `next` to go on from. */
const MOST_SCANNED = 400;
/** Entries counted of each word that was typed, to begin with the one that fewest have. */
const PROBED = 300;
const LAST_CHARACTER = '\u{10FFFF}';
/** Ids have no words in them: what stands between their dashes is chance. */
const ID = /^(?:usr|app|api)_/;
/** Of ids and addresses, which are typed or pasted as a whole. */
const isWhole = (folded: string): boolean => folded.includes('@') || ID.test(folded);

const fold = (text: string): string => text.toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '');
const cut = (word: string): string => [...word].slice(0, WORD_MAX).join('');
const pieces = (text: string): string[] => fold(text).match(/[\p{L}\p{N}]+/gu) ?? [];
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What a record is found by, whatever is searched for: no word that is typed begins with it. */
export const mark = (name: string, value: string): string => `=${name}:${value}`;

/** @param texts names, addresses and ids. */
export function wordsIn(texts: string[], marks: string[]): string[] {
  const folded = texts.map(fold);
  const whole = folded.filter((text) => isWhole(text) && !text.startsWith('='));
  const words = [...folded.filter((text) => !ID.test(text)).flatMap(pieces), ...whole].map(cut);
  // By its marks it is always found, however many there are.
  return [...marks, ...[...new Set(words)].slice(0, MOST_WORDS)];
}

/** The words of what was typed, the longest first. */
function termsOf(text: string): string[] {
  const typed = text.split(/\s+/).filter((part) => part !== '');
  const terms = typed.flatMap((part) => {
    const folded = fold(part);
    return isWhole(folded) ? [folded] : pieces(part);
  });
  return terms.map(cut).toSorted((a, b) => b.length - a.length);
}

/** Whether words, as `wordsIn` makes them, are found by what was typed. */
export function isFoundBy(words: string[], text: string): boolean {
  if (text.trim() === '') return true;
  const terms = termsOf(text);
  return terms.length > 0 && terms.every((term) => words.some((word) => word.startsWith(term)));
}

const beginningWith = (term: string): Range => ({ from: term, to: term + LAST_CHARACTER });

interface Test {
  terms: string[];
  having: string[];
  not: string[];
}

const fits = (words: string[], { terms, having, not }: Test): boolean =>
  terms.every((term) => words.some((word) => word.startsWith(term))) &&
  having.every((one) => words.includes(one)) &&
  !not.some((one) => words.includes(one));

interface Found<T> {
  position: Position;
  record: T | undefined;
}

/** The word whose stretch of the index a search was in, on its later pages. */
const chosen = (terms: string[], position: Position | undefined): string | undefined =>
  position && terms.find((term) => position[0].startsWith(term));

/** Goes on from page to page until enough was found, nothing is left, or enough was looked at. */
async function collect<T>(
  limit: number,
  next: (after: Position | undefined, count: number) => Promise<Found<T>[]>,
  after: Position | undefined,
): Promise<Page<T>> {
  const items: T[] = [];
  let last = after;
  for (let scanned = 0; scanned < MOST_SCANNED;) {
    const count = Math.min(500, Math.max(limit + 1 - items.length, 20));
    const found = await next(last, count);
    for (const { position, record } of found) {
      if (record !== undefined) {
        if (items.length === limit) return { items, next: encodePosition(last!) };
        items.push(record);
      }
      last = position;
    }
    if (found.length < count) return { items, next: undefined };
    scanned += found.length;
  }
  return { items, next: encodePosition(last!) };
}

/**
 * One page of what fits: in the order of the index where it searches for something, else oldest first.
 * @throws invalid_input when the cursor or limit is not ours.
 */
export async function searchPage<T extends { id: string; created_at: string }>(
  { scan, find, list, wordsOf }: Searchable<T>,
  { text = '', having = [], not = [], ...page }: Search,
): Promise<Page<T>> {
  const { position, limit } = readPageRequest(page);
  const terms = termsOf(text);
  if (text.trim() !== '' && terms.length === 0) return { items: [], next: undefined };
  const test = { terms, having, not };
  const [first, firstMark] = [terms[0], having[0]];
  if (first === undefined && firstMark === undefined) {
    if (not.length === 0) return list(page);
    return collect(limit, listed, position);
  }
  const range =
    first === undefined
      ? { from: firstMark!, to: `${firstMark!}\0` }
      : beginningWith(chosen(terms, position) ?? (await rarest(terms)));
  return collect(limit, scanned, position);

  /** Of two words the one that finds less: its stretch of the index is walked. */
  async function rarest([one, ...others]: string[]): Promise<string> {
    let [best, fewest] = [one!, others.length === 0 ? 0 : (await scan(beginningWith(one!), undefined, PROBED)).length];
    for (const other of others) {
      if (fewest < PROBED / 10) break;
      const { length } = await scan(beginningWith(other), undefined, PROBED);
      if (length < fewest) [best, fewest] = [other, length];
    }
    return best;
  }

  async function listed(after: Position | undefined, count: number): Promise<Found<T>[]> {
    const { items } = await list({ after: after && encodePosition(after), limit: count });
    return items.map((record) => ({
      position: [record.created_at, record.id],
      record: fits(wordsOf(record), test) ? record : undefined,
    }));
  }

  async function scanned(after: Position | undefined, count: number): Promise<Found<T>[]> {
    const entries = await scan(range, after, count);
    return Promise.all(
      entries.map(async ({ word, id }) => {
        const record = await find(id);
        const words = record && wordsOf(record);
        // Once, at the first of its words that fit; an entry that a change has left behind is none of them.
        const own = words?.filter((one) => byBytes(one, range.from) >= 0 && byBytes(one, range.to) < 0);
        const isFirst = own?.toSorted(byBytes)[0] === word;
        return { position: [word, id] as Position, record: isFirst && fits(words!, test) ? record : undefined };
      }),
    );
  }
}
