/** The shapes of APIs, which are clients of a kind. */
import { z } from 'zod';
import { DESCRIPTION_MAX, LIFETIME } from '../clients/api-settings.ts';
import { ACCESS_TOKEN_FORMATS } from '../clients/client.ts';
import { detailTypesSchema } from '../clients/detail-types.ts';
import { clientName, scope, secretFacts, signing, told, warned } from './client-shapes.ts';
import { clearables, moment, name, optionals, text, url } from './schema-parts.ts';

const format = z.enum(ACCESS_TOKEN_FORMATS).meta({
  description:
    'Form of its tokens: `jwt`, or `opaque`, which it has to ask about and so sees at once that one was revoked.',
});

const apiSettings = {
  access_token_format: format,
  scope,
  scope_descriptions: z
    .record(z.string().max(200), text(DESCRIPTION_MAX))
    .meta({ description: 'What people read of its scopes where they are asked, by scope.' }),
  access_token_lifetime: z
    .int()
    .min(LIFETIME.min)
    .max(LIFETIME.max)
    .meta({ description: 'Seconds; `lifetimes.access_token` of the configuration unless it is set.' }),
  access_token_signing_alg: signing.meta({
    description: 'Signature of its JWTs; the first of `keys.algorithms` unless it is set.',
  }),
  detail_types: detailTypesSchema.meta({
    description: 'Types of rich authorization requests (RFC 9396) that it has, and what people read of them.',
  }),
  client_uri: url,
};

export const api = name(
  'Api',
  z.object({
    client_id: z.string(),
    client_name: z.string(),
    resource: z.string().meta({ description: 'Its identifier: the audience of its tokens.' }),
    access_token_format: format.optional(),
    scope: z.string().optional().meta({ description: 'The scopes it offers.' }),
    scope_descriptions: z.record(z.string(), z.string()).optional(),
    access_token_lifetime: z.int().optional(),
    access_token_signing_alg: signing.optional(),
    detail_types: detailTypesSchema.optional(),
    client_uri: z.string().nullable(),
    has_secret: z.boolean(),
    secrets: secretFacts,
    built_in: z.boolean(),
    created_at: moment,
    updated_at: moment,
  }),
);
export const registeredApi = name('RegisteredApi', api.extend({ ...told, ...warned }));
export const changedApi = name('ChangedApi', api.extend(warned));
export const apiWithSecret = name('ApiWithSecret', api.extend(told));
export const newApi = name(
  'NewApi',
  z.strictObject({
    client_name: clientName,
    resource: url.optional(),
    ...optionals(apiSettings),
  }),
);
export const apiChange = name(
  'ApiChange',
  z.strictObject({
    client_name: clientName.optional(),
    ...clearables(apiSettings),
  }),
);
