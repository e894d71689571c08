/** What the shapes of the API are made of: names in the document, texts, pages. */
import { z } from 'zod';

/** Schemas with names of their own in the OpenAPI document. */
export const named = z.registry<{ id: string }>();
export const name = <T extends z.ZodType>(id: string, schema: T): T => {
  named.add(schema, { id });
  return schema;
};

export const text = (max: number) => z.string().max(max);
export const moment = z.string().meta({ format: 'date-time' });
export const url = z.string().max(2000);

export const page = {
  limit: z
    .preprocess(
      (value) => (typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value),
      z.int().min(1).max(500),
    )
    .optional()
    .meta({ description: 'How many; 50 unless given.' }),
  after: z.string().max(1000).optional().meta({ description: 'The `next` of the page before.' }),
};
export const search = z
  .string()
  .max(200)
  .optional()
  .meta({ description: 'Words, each of which must begin a word of the name, the address or the id.' });

/** One page. */
export const listOf = <T extends z.ZodType>(id: string, item: T) =>
  name(
    id,
    z.object({
      items: z.array(item),
      next: z.string().optional().meta({ description: 'Where the next page begins; absent on the last one.' }),
    }),
  );

/** All of them may be absent. */
export const optionals = <T extends Record<string, z.ZodType>>(shape: T) =>
  Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, schema.optional()])) as {
    [K in keyof T]: z.ZodOptional<T[K]>;
  };
/** All of them may be absent, or null. */
export const clearables = <T extends Record<string, z.ZodType>>(shape: T) =>
  Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, schema.nullable().optional()])) as {
    [K in keyof T]: z.ZodOptional<z.ZodNullable<T[K]>>;
  };
