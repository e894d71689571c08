/**
 * Types of rich authorization requests (RFC 9396): what an app can ask for at an API beyond scopes, such as one payment of one amount. The
 * API says which fields a type has; what comes is checked against that, and people are shown it in the API's own words.
 */
import { z } from 'zod';
import { invalidInput } from '../kernel/errors.ts';

/** Controls, and what reverses or hides text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const MOST_TYPES = 20;
const MOST_FIELDS = 30;
const LONGEST_TEXT = 1000;
const MOST_VALUES = 50;

const words = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !UNSEEN.test(text), 'has characters that nobody sees');
const name = z.string().regex(/^[A-Za-z_][\w.-]{0,99}$/, 'must be a name of letters, digits, _, . and -');

const simple = z.strictObject({
  name,
  /** `strings`: a list of texts. */
  kind: z.enum(['string', 'number', 'boolean', 'strings']),
  title: words.optional(),
  required: z.boolean().optional(),
  /** The only texts that it may have. */
  options: z.array(words).min(1).max(MOST_VALUES).optional(),
});
const field = z.discriminatedUnion('kind', [
  simple,
  z.strictObject({
    name,
    kind: z.literal('object'),
    title: words.optional(),
    required: z.boolean().optional(),
    fields: z.array(simple).min(1).max(MOST_FIELDS),
  }),
]);

const hasNoTwins = (fields: { name: string }[]): boolean =>
  new Set(fields.map((one) => one.name)).size === fields.length;

export const detailTypesSchema = z
  .array(
    z.strictObject({
      type: z
        .string()
        .regex(/^[\x21-\x7e]{1,200}$/, 'must be visible characters without spaces')
        .refine((type) => !(type in {}), 'is taken'),
      /** What people read of it. */
      title: words,
      fields: z
        .array(field)
        .max(MOST_FIELDS)
        .refine(
          (fields) => hasNoTwins(fields) && !fields.some((one) => RESERVED.has(one.name)),
          'names one twice, or type or locations',
        )
        .optional(),
    }),
  )
  .max(MOST_TYPES)
  .refine((types) => new Set(types.map(({ type }) => type)).size === types.length, 'names one type twice');

/** Of every detail: what it is, and at which of the APIs that were asked for. */
const RESERVED = new Set(['type', 'locations']);

export type DetailType = z.output<typeof detailTypesSchema>[number];
type Field = z.output<typeof field>;

/** One detail of a request. */
export interface Detail {
  type: string;
  locations?: string[];
  [name: string]: unknown;
}

/** @throws invalid_input. */
export function checkDetailTypes(types: unknown): void {
  const parsed = detailTypesSchema.safeParse(types);
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  throw invalidInput(`${issue!.path.join('.') || 'the list'}: ${issue!.message}`, 'detail_types');
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT && !UNSEEN.test(value);

function textProblem(value: unknown, options: string[] | undefined): string | undefined {
  if (!isText(value)) return `must be a text of 1 to ${LONGEST_TEXT} visible characters`;
  return options && !options.includes(value) ? `must be one of ${options.join(', ')}` : undefined;
}

function valueProblem(value: unknown, of: Field): string | undefined {
  switch (of.kind) {
    case 'string':
      return textProblem(value, of.options);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : 'must be a number';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'strings':
      if (!Array.isArray(value) || value.length === 0 || value.length > MOST_VALUES) return 'must be a list of texts';
      return value.map((one) => textProblem(one, of.options)).find((problem) => problem !== undefined);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? fieldsProblem(value as Record<string, unknown>, of.fields)
        : 'must be an object';
  }
}

function fieldsProblem(given: Record<string, unknown>, fields: readonly Field[]): string | undefined {
  const unknown = Object.keys(given).find((key) => !fields.some((one) => one.name === key));
  if (unknown !== undefined) return `has the field ${JSON.stringify(unknown.slice(0, 100))}, which is not known`;
  for (const one of fields) {
    if (!Object.hasOwn(given, one.name)) {
      if (one.required) return `lacks the field ${one.name}`;
      continue;
    }
    const problem = valueProblem(given[one.name], one);
    if (problem !== undefined) return `${one.name} ${problem}`;
  }
  return undefined;
}

/** What is wrong with a detail of this type; undefined where nothing is. */
export function detailProblem(detail: Detail, { fields = [] }: DetailType): string | undefined {
  const { locations } = detail;
  if (locations !== undefined && (locations.length > MOST_VALUES || !locations.every(isText)))
    return 'locations must be a short list of texts';
  const own = Object.entries(detail).filter(([name]) => !RESERVED.has(name));
  return fieldsProblem(Object.fromEntries(own), fields);
}

/** A value of a detail for people: what is said as a list or an object has its parts side by side. */
function shownValue(value: unknown, of: Field, yesNo: (value: boolean) => string): string {
  if (of.kind === 'object') {
    const parts = of.fields.flatMap((one) =>
      Object.hasOwn(value as object, one.name)
        ? [shownValue((value as Record<string, unknown>)[one.name], one, yesNo)]
        : [],
    );
    return parts.join(' ');
  }
  if (of.kind === 'boolean') return yesNo(value as boolean);
  return [value].flat().map(String).join(', ');
}

/** Each field that a detail has, as a line. */
export const shownLines = (detail: Detail, { fields = [] }: DetailType, yesNo: (value: boolean) => string): string[] =>
  fields.flatMap((one) =>
    Object.hasOwn(detail, one.name) ? [`${one.title ?? one.name}: ${shownValue(detail[one.name], one, yesNo)}`] : [],
  );

function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  return (
    Array.isArray(one) === Array.isArray(other) &&
    keys.length === others.length &&
    keys.every(
      (key) =>
        Object.hasOwn(other, key) &&
        isEqual((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
    )
  );
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

/** Whether a detail reaches no further than one that was granted: the same, or of its lists a part (RFC 9396, section 6). */
function isWithin(asked: Detail, granted: Detail): boolean {
  const keys = Object.keys(granted);
  if (keys.length !== Object.keys(asked).length) return false;
  return keys.every((key) => {
    if (!Object.hasOwn(asked, key)) return false;
    const [less, more] = [asked[key], granted[key]];
    if (isList(less) && isList(more))
      return less.length > 0 && less.every((one) => more.some((other) => isEqual(one, other)));
    return isEqual(less, more);
  });
}

/**
 * Whether all that is asked for was granted, each detail by one of its own: one payment that was allowed is not two, nor two halves that
 * each have its whole amount.
 */
export function areWithin(asked: Detail[], granted: Detail[]): boolean {
  /** By the place of what was granted, the place of what is asked for by it. */
  const taken = new Map<number, number>();
  const place = (which: number, tried: Set<number>): boolean =>
    granted.some((one, at) => {
      if (tried.has(at) || !isWithin(asked[which]!, one)) return false;
      tried.add(at);
      const before = taken.get(at);
      if (before !== undefined && !place(before, tried)) return false;
      taken.set(at, which);
      return true;
    });
  return asked.every((_, which) => place(which, new Set()));
}
