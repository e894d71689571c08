/** The leaves of the schema, each with its path, environment name and meaning. */
import { z } from 'zod';
import { genericProvider } from './federation.ts';
import { configSchema } from './schema.ts';

/** A leaf that the file alone can set, below a name that the operator chooses, has no `env`. */
export interface ConfigKey<Env extends string | null = string | null> {
  /** Path in the YAML file, such as `['storage', 'url']`. */
  path: string[];
  /** Name of the environment variable, such as `GATEHOUSE_STORAGE_URL`. */
  env: Env;
  description: string;
  secret: boolean;
  /** Type for people to read. */
  type: string;
  fallback: unknown;
  /** Whether the environment gives the value as it is; otherwise it is read as YAML. */
  plainText: boolean;
}

function unwrap(schema: z.ZodType): { inner: z.ZodType; fallback: unknown } {
  let fallback: unknown;
  let inner = schema;
  for (;;) {
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      fallback = inner.def.defaultValue;
      inner = inner.def.innerType as z.ZodType;
    } else if (inner instanceof z.ZodOptional) {
      inner = inner.def.innerType as z.ZodType;
    } else return { inner, fallback };
  }
}

function typeName(schema: z.ZodType): string {
  if (schema instanceof z.ZodEnum) return schema.options.join(' | ');
  if (schema instanceof z.ZodArray)
    return schema.element instanceof z.ZodNumber ? 'list of whole numbers' : 'list of text';
  if (schema instanceof z.ZodBoolean) return 'true | false';
  if (schema instanceof z.ZodNumber) return 'whole number';
  return 'text';
}

function leaves(shape: Record<string, z.ZodType>, parents: string[]): ConfigKey<string>[] {
  return Object.entries(shape).flatMap(([name, schema]) => {
    const path = [...parents, name];
    const { inner, fallback } = unwrap(schema);
    if (inner instanceof z.ZodObject) return leaves(inner.shape, path);
    const meta = schema.meta() ?? inner.meta() ?? {};
    if (meta['implied'] === true) return [];
    return {
      path,
      env: `GATEHOUSE_${path.join('_').toUpperCase()}`,
      description: meta.description ?? '',
      secret: meta['secret'] === true,
      type: typeName(inner),
      fallback,
      plainText: !(inner instanceof z.ZodArray || inner instanceof z.ZodBoolean || inner instanceof z.ZodNumber),
    };
  });
}

export const configKeys: ConfigKey<string>[] = leaves(configSchema.shape, []);

/** The keys of an upstream provider under a name of the operator's choice. */
export const namedKeys: ConfigKey[] = [
  {
    path: ['federation', '<name>', 'type'],
    env: null,
    description:
      'What it is. `oidc` is any OpenID Connect provider; the others have the keys of their namesakes above.',
    secret: false,
    type: 'oidc | google | github | microsoft | apple',
    fallback: undefined,
    plainText: true,
  },
  ...leaves(genericProvider.shape, ['federation', '<name>']).map((key) => ({ ...key, env: null })),
];
