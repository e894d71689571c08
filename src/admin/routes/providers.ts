/** Providers that people may sign in with. */
import { z } from 'zod';
import { PROVIDER_NAME, PROVIDER_SHAPES, PROVIDER_TYPES } from '../../config/federation.ts';
import type { Upstreams } from '../../administration/upstreams.ts';
import type { KnownProvider, ProviderChange } from '../../federation/records.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { listOf, named } from '../schemas.ts';

const name = <T extends z.ZodType>(id: string, schema: T): T => {
  named.add(schema, { id });
  return schema;
};

/** Settings of any type; which go together the rules say. */
const settings: Record<string, z.ZodType> = Object.fromEntries(
  Object.values(PROVIDER_SHAPES).flatMap((shape) => Object.entries(shape.shape) as [string, z.ZodType][]),
);
const { client_secret, private_key, ...rest } = settings;
const told = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== 'type'));
const bare = (schema: z.ZodType): z.ZodType => {
  let inner = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodOptional) inner = inner.unwrap() as z.ZodType;
  return inner.meta({ description: schema.meta()?.description ?? inner.meta()?.description });
};
const each = (shape: Record<string, z.ZodType>, make: (schema: z.ZodType) => z.ZodType) =>
  Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, make(bare(schema))]));

const type = z.enum(PROVIDER_TYPES);
const enabled = z.boolean().meta({ description: 'Off: nobody can sign in with it, and it is offered to nobody.' });
const secrets = { client_secret: client_secret!, private_key: private_key! };
/** Of a file too, where secrets are references. */
export const PROVIDER_FIELDS = each(told, (schema) => schema.optional());
export const PROVIDER_CHANGEABLE = [...Object.keys(told), 'enabled'];

const provider = name(
  'Provider',
  z.object({
    name: z.string().meta({ description: 'In addresses: `<issuer>/federation/<name>/callback`.' }),
    type,
    source: z.enum(['config', 'store']).meta({ description: '`config`: set in the configuration, and changed there.' }),
    enabled: z.boolean(),
    has_secret: z.boolean(),
    redirect_uri: z.string().meta({ description: 'What to register there.' }),
    ...each(told, (schema) => schema.optional()),
    created_at: z.string().nullable(),
    updated_at: z.string().nullable(),
  }),
);
const newProvider = name(
  'NewProvider',
  z.strictObject({
    name: z.string().regex(PROVIDER_NAME),
    type,
    enabled: enabled.optional(),
    ...each({ ...told, ...secrets }, (schema) => schema.optional()),
  }),
);
const change = name(
  'ProviderChange',
  z
    .strictObject({
      enabled: enabled.optional(),
      ...each({ ...told, ...secrets }, (schema) => schema.nullable().optional()),
    })
    .meta({ description: 'What is absent stays, what is null goes back to its default (RFC 7396).' }),
);
const tested = name(
  'ProviderTest',
  z.object({
    ok: z.boolean(),
    answer: z.object({ issuer: z.string(), authorization_endpoint: z.string(), token_endpoint: z.string() }).optional(),
    problem: z.enum(['cancelled', 'unavailable', 'refused', 'wrong_account', 'stale']).optional(),
    detail: z.string().optional(),
  }),
);

export function publicProvider(
  { name, source, enabled, has_secret, settings: own, ...known }: KnownProvider,
  upstreams: Upstreams,
) {
  const { created_at, updated_at } = known;
  const redirect_uri = upstreams.callbackOf(name);
  return { name, source, enabled, has_secret, ...own, redirect_uri, created_at, updated_at };
}

const params = z.strictObject({ name: z.string().max(200) });
const one = (upstreams: Upstreams, known: KnownProvider) => ({
  body: publicProvider(known, upstreams),
  version: known.version,
});
const read = { scope: 'providers:read', tag: 'Providers' } as const;
const write = { scope: 'providers:write', tag: 'Providers' } as const;

export const providerRoutes: Route[] = [
  route({
    id: 'listProviders',
    method: 'GET',
    path: '/providers',
    ...read,
    summary: 'All of them, those of the configuration first',
    answer: { status: 200, schema: listOf('ProviderList', provider) },
    async run({ upstreams }) {
      return { body: { items: (await upstreams.list()).map((one) => publicProvider(one, upstreams)) } };
    },
  }),
  route({
    id: 'createProvider',
    method: 'POST',
    path: '/providers',
    ...write,
    summary: 'Add a provider; people can sign in with it within a second',
    body: newProvider,
    idempotent: true,
    answer: { status: 201, schema: provider },
    async run({ upstreams }, { by, body }) {
      const made = await upstreams.create(by, body);
      return { ...one(upstreams, made), location: `/providers/${made.name}` };
    },
  }),
  route({
    id: 'getProvider',
    method: 'GET',
    path: '/providers/{name}',
    ...read,
    summary: 'All about one but its secrets',
    params,
    answer: { status: 200, schema: provider },
    run: async ({ upstreams }, { params: { name } }) => one(upstreams, await upstreams.get(name)),
  }),
  route({
    id: 'changeProvider',
    method: 'PATCH',
    path: '/providers/{name}',
    ...write,
    summary: 'Change what is named',
    params,
    body: change,
    ifMatch: 'demanded',
    answer: { status: 200, schema: provider },
    run: async ({ upstreams }, { by, params: { name }, body, version }) =>
      one(upstreams, await upstreams.update(by, name, body as ProviderChange, version)),
  }),
  route({
    id: 'deleteProvider',
    method: 'DELETE',
    path: '/providers/{name}',
    ...write,
    summary: 'Remove a provider; people who have no other way in lose theirs',
    params,
    ifMatch: 'heeded',
    answer: { status: 204 },
    async run({ upstreams }, { by, params: { name }, version }) {
      await upstreams.remove(by, name, version);
      return {};
    },
  }),
  route({
    id: 'testProvider',
    method: 'POST',
    path: '/providers/{name}/test',
    ...read,
    summary: 'Ask the provider now whether it is one',
    params,
    answer: { status: 200, schema: tested },
    run: async ({ upstreams }, { params: { name } }) => ({ body: await upstreams.test(name) }),
  }),
];
