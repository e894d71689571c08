/** What is the same for all that can stand in a file. */
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { conflict, isGatehouseError } from '../kernel/errors.ts';
import type { Entry } from './read.ts';
import type { Problem } from './problem.ts';

export interface Change {
  field: string;
  old: unknown;
  new: unknown;
}

/** One thing that is to be done. */
export interface Step {
  act: 'create' | 'change' | 'remove';
  kind: string;
  /** What tells it from others of its kind. */
  id: string;
  /** What people call it, where that is something else. */
  name?: string | undefined;
  /** By which others refer to it, beside its id. */
  aliases?: string[];
  changes: Change[];
  /** What whoever applies it should know. */
  notes: string[];
  run(): Promise<void>;
}

export interface Item<T> {
  wanted: T;
  entry: Entry;
}

/** What is to be there when all is done, for those that name it. */
export interface Outlook {
  /** By kind: what the files make, by the names that others use. */
  coming: Map<string, Set<string>>;
  /** By kind: what is to be removed, likewise. */
  going: Map<string, Set<string>>;
}

export interface Plan {
  steps: Step[];
  problems: Problem[];
}

/** A kind of resource. `Wanted` is what its schema gives. */
export interface Kind<Wanted = never> {
  /** What `kind` says in a file. */
  name: string;
  schema: z.ZodObject;
  /** All that no two entries may share. */
  identities(wanted: Wanted): string[];
  /** The names by which others refer to it. */
  names?(wanted: Wanted): string[];
  /** Compares what is wanted with what there is. @param prune what no file names goes. */
  plan(items: Item<Wanted>[], options: { prune: boolean; outlook: Outlook }): Promise<Plan>;
  /** All there is, as it is written into a file. */
  export(): Promise<Record<string, unknown>[]>;
}

export type AnyKind = Kind<never>;

/** Runs `work` for an entry; what speaks against that is put to the line it is about. */
export async function judged<T>(
  { entry }: Item<unknown>,
  problems: Problem[],
  work: () => Promise<T>,
  nameOf: (field: string) => string = (field) => field,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isGatehouseError(error) || error.code === 'unavailable') throw error;
    const field = error.field === undefined ? [] : nameOf(error.field).split(/[./]/);
    problems.push({ where: entry.where(field), message: error.message });
    return undefined;
  }
}

/** @throws conflict where one of these is to be removed by the same run: what stays names nothing that goes. */
export function mustNotGo(kind: string, names: readonly string[] | null | undefined, { going }: Outlook): void {
  const lost = names?.find((name) => going.get(kind)?.has(name));
  if (lost !== undefined) throw conflict(`the ${kind} ${lost} is to be removed`);
}

/** What of one is otherwise in the other. @param apart fields that say nothing about the thing itself. */
export function changesBetween(before: object, after: object, apart: string[] = []): Change[] {
  const [old, now] = [before, after] as Record<string, unknown>[];
  const names = [...new Set([...Object.keys(old!), ...Object.keys(now!)])].filter((name) => !apart.includes(name));
  return names
    .filter((name) => !isDeepStrictEqual(old![name] ?? null, now![name] ?? null))
    .map((field) => ({ field, old: old![field] ?? null, new: now![field] ?? null }));
}
