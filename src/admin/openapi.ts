/** The OpenAPI 3.1 document, made of the very schemas that guard the routes. */
import { z } from 'zod';
import { ADMIN_SCOPES } from '../administration/scopes.ts';
import { PROBLEMS } from './problems.ts';
import type { ProblemName } from './problems.ts';
import type { Route } from './route.ts';
import { named } from './schemas.ts';

type Json = Record<string, unknown>;

const reference = (id: string) => `#/components/schemas/${id}`;

const withoutMeta = (schema: object): Json =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));

/** All named schemas. What is taken is strict either way, so that one direction does for both. */
function components(): Record<string, Json> {
  const { schemas } = z.toJSONSchema(named, { uri: reference, io: 'output' }) as { schemas: Record<string, Json> };
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutMeta(schema)]));
}

function schemaOf(schema: z.ZodType): Json {
  const id = named.get(schema)?.id;
  return id === undefined ? withoutMeta(z.toJSONSchema(schema, { io: 'output' })) : { $ref: reference(id) };
}

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Json;
  description?: unknown;
}

function parametersOf(schema: z.ZodObject | undefined, where: 'path' | 'query'): Parameter[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'output' }) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    // An empty segment is another path.
    schema: where === 'path' ? { minLength: 1, ...rest } : rest,
    ...(description === undefined ? {} : { description }),
  }));
}

const header = (name: string, required: boolean, description: string, schema: Json = {}): Parameter => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string', ...schema },
});

function headersOf({ ifMatch, idempotent }: Route): Parameter[] {
  return [
    ...(ifMatch ? [header('If-Match', ifMatch === 'demanded', 'The ETag of the record, or `*` for any version.')] : []),
    ...(idempotent
      ? [
          header('Idempotency-Key', false, 'Sent again with the same body it gives the same answer, for a day.', {
            pattern: '^[!-~]{1,200}$',
          }),
        ]
      : []),
  ];
}

/** What can go wrong at a route. */
export function problemsOf({ method, params, body, bodyNames, takes, idempotent, ifMatch }: Route): ProblemName[] {
  return [
    'invalid_input',
    'unauthorized',
    'forbidden',
    ...(params || bodyNames ? (['not_found'] as const) : []),
    ...(method === 'GET' ? [] : (['conflict'] as const)),
    ...(ifMatch ? (['stale'] as const) : []),
    ...(ifMatch === 'demanded' ? (['precondition_required'] as const) : []),
    ...(body ? (['too_large', 'unsupported_media_type'] as const) : []),
    ...(takes ? (['unsupported_media_type'] as const) : []),
    ...(idempotent ? (['key_reused'] as const) : []),
    'limited',
    'unavailable',
  ];
}

function answersOf(route: Route): Json {
  const { status, schema } = route.answer;
  const etag = { ETag: { description: 'The version of the record, for `If-Match`.', schema: { type: 'string' } } };
  const good = {
    description: status === 204 ? 'Done' : 'The answer',
    ...(route.gives
      ? { content: Object.fromEntries(route.gives.map((type) => [type, { schema: { type: 'string' } }])) }
      : {}),
    ...(schema ? { content: { 'application/json': { schema: schemaOf(schema) } } } : {}),
    ...(status === 201 || (route.ifMatch && status !== 204) ? { headers: etag } : {}),
  };
  const bad = problemsOf(route).map((name) => {
    const [code, description] = PROBLEMS[name];
    return [code, { description, content: { 'application/problem+json': { schema: { $ref: reference('Problem') } } } }];
  });
  return { [status]: good, ...(Object.fromEntries(bad) as Json) };
}

function operation(route: Route): Json {
  const parameters = [
    ...parametersOf(route.params, 'path'),
    ...parametersOf(route.query, 'query'),
    ...headersOf(route),
  ];
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: [{ oauth2: [route.scope] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.takes
      ? {
          requestBody: {
            required: true,
            content: Object.fromEntries(route.takes.map((type) => [type, { schema: { type: 'string' } }])),
          },
        }
      : {}),
    ...(route.body
      ? {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: { 'application/json': { schema: schemaOf(route.body) } },
          },
        }
      : {}),
    responses: answersOf(route),
  };
}

interface Needs {
  issuer: string;
  version: string;
  routes: Route[];
}

export interface OpenApi {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Json>>;
  components: Json & { schemas: Record<string, Json> };
}

export function openApi({ issuer, version, routes }: Needs): OpenApi {
  const paths: OpenApi['paths'] = {};
  for (const one of routes) (paths[one.path] ??= {})[one.method.toLowerCase()] = operation(one);
  const flow = { tokenUrl: `${issuer}/token`, scopes: ADMIN_SCOPES };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse admin API',
      version,
      description: `Access tokens are JWTs with the audience ${issuer}/admin/api: send it as \`resource\`.`,
    },
    servers: [{ url: `${issuer}/admin/api/v1` }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        oauth2: {
          type: 'oauth2',
          flows: { clientCredentials: flow, authorizationCode: { authorizationUrl: `${issuer}/auth`, ...flow } },
        },
      },
    },
  };
}
