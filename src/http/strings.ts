/** Texts by their full key, such as `sign_in.submit`. */
export type Strings = Record<string, string>;

/** Nested texts by their full keys. */
export function flatten(texts: object, prefix = ''): Strings {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null
        ? Object.entries(flatten(value, `${prefix}${key}.`))
        : [[prefix + key, String(value)]],
    ),
  );
}
