/** From what was read to what is wanted: by the schema of each kind, with all that is wrong at once. */
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import type { AnyKind, Item } from './kind.ts';
import type { Problem } from './problem.ts';
import type { Entry } from './read.ts';

/** The entries of each kind. */
export type Wanted = Map<AnyKind, Item<never>[]>;

/** Names that the schema knows at a path, as far as it is made of objects and lists. */
function namesAt(schema: z.ZodType, at: readonly PropertyKey[]): string[] {
  let here: unknown = schema;
  const open = () => {
    while (here instanceof z.ZodOptional || here instanceof z.ZodNullable || here instanceof z.ZodDefault)
      here = here.unwrap();
  };
  for (const key of at) {
    open();
    if (here instanceof z.ZodObject) here = (here.shape as Record<string, z.ZodType>)[String(key)];
    else if (here instanceof z.ZodArray) here = here.element;
    else return [];
  }
  open();
  return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
}

const nearest = (name: string, known: string[]) => (known.length > 0 ? `; the nearest is ${closest(name, known)}` : '');

function problemsOf(schema: z.ZodType, { where }: Entry, issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = namesAt(schema, issue.path);
    return issue.keys.map((key) => ({
      where: where([...issue.path, key]),
      message: `${[...issue.path, key].join('.')} is not known${nearest(key, known)}`,
    }));
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  const name = issue.path.join('.');
  return [
    { where: where(issue.path), message: `${name}${name === '' ? '' : ': '}${missing ? 'is missing' : issue.message}` },
  ];
}

/** @returns what is wanted of each kind, and all that is wrong with the entries by themselves. */
export function parseEntries(entries: Entry[], kinds: AnyKind[]): { wanted: Wanted; problems: Problem[] } {
  const wanted: Wanted = new Map(kinds.map((kind) => [kind, []]));
  const problems: Problem[] = [];
  const taken = new Map<string, string>();
  const names = kinds.map(({ name }) => name);
  for (const entry of entries) {
    const { kind: named, ...rest } = entry.value;
    const kind = kinds.find(({ name }) => name === named);
    if (!kind) {
      const message =
        typeof named === 'string'
          ? `there is no kind ${JSON.stringify(named)}${nearest(named, names)}`
          : `kind is missing: one of ${names.join(', ')}`;
      problems.push({ where: entry.where(['kind']), message });
      continue;
    }
    const parsed = kind.schema.safeParse(rest, { reportInput: true });
    if (!parsed.success) {
      problems.push(...parsed.error.issues.flatMap((issue) => problemsOf(kind.schema, entry, issue)));
      continue;
    }
    const item = { wanted: parsed.data as never, entry };
    for (const identity of kind.identities(item.wanted)) {
      const key = `${kind.name} ${identity}`;
      const other = taken.get(key);
      if (other !== undefined) problems.push({ where: entry.where(), message: `${key} is in ${other} already` });
      else taken.set(key, entry.where());
    }
    wanted.get(kind)!.push(item);
  }
  return { wanted, problems };
}
