/** What changed, for the record of what happened. */
const VALUE_MAX = 300;

export const inShort = (value: unknown): string => (JSON.stringify(value) ?? 'null').slice(0, VALUE_MAX);

/** Secrets have records of their own, which tell of them. */
const UNTOLD = ['updated_at', 'version', 'secrets'];

/** What changed, before and after, field by field: of things that may be told of as they are. */
export function difference(before: object, after: object): Record<string, string> {
  const [old, now] = [before, after] as Record<string, unknown>[];
  const names = Object.keys({ ...old, ...now }).filter((name) => !UNTOLD.includes(name));
  const changed = names.filter((name) => JSON.stringify(old![name]) !== JSON.stringify(now![name]));
  return Object.fromEntries(changed.map((name) => [name, `${inShort(old![name])} → ${inShort(now![name])}`]));
}
