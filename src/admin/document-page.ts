/** The OpenAPI document as a page for people: made of nothing but the document, without a script. */
import type { OpenApi } from './openapi.ts';
import { PROBLEMS } from './problems.ts';

type Json = Record<string, unknown>;

const nameIn = (schema: Json | undefined): string | null =>
  typeof schema?.['$ref'] === 'string' ? schema['$ref'].split('/').at(-1)! : null;

/** The shape that a schema, its items or one of its alternatives refers to. */
const shapeOf = (schema: Json): string | null => nameIn(schema) ?? nameIn(schema['items'] as Json | undefined);

function typeOf(schema: Json): string {
  const name = nameIn(schema);
  if (name !== null) return name;
  if (Array.isArray(schema['enum'])) return schema['enum'].map(String).join(' | ');
  if (Array.isArray(schema['anyOf'])) return (schema['anyOf'] as Json[]).map(typeOf).join(' | ');
  if (schema['type'] === 'array') return `list of ${typeOf((schema['items'] as Json | undefined) ?? {})}`;
  const format = typeof schema['format'] === 'string' ? ` (${schema['format']})` : '';
  const types = [schema['type'] ?? 'any'].flat() as string[];
  return `${types.join(' | ')}${format}`;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function fieldsOf({ properties = {}, required = [] }: { properties?: Record<string, Json>; required?: string[] }) {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    type: typeOf(schema),
    shape: shapeOf(schema),
    required: required.includes(name),
    description: text(schema['description']),
  }));
}

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: { oauth2: string[] }[];
  parameters?: { name: string; in: string; required: boolean; schema: Json; description?: string }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

const contentShape = (content: Record<string, { schema: Json }> | undefined): string | null =>
  nameIn(Object.values(content ?? {})[0]?.schema);

function describe(method: string, path: string, operation: Operation) {
  return {
    id: operation.operationId,
    tag: operation.tags[0]!,
    method: method.toUpperCase(),
    path,
    summary: operation.summary,
    scope: operation.security[0]!.oauth2.join(' '),
    parameters: (operation.parameters ?? []).map(({ schema, description, ...rest }) => ({
      ...rest,
      type: typeOf(schema),
      description: description ?? '',
    })),
    body: contentShape(operation.requestBody?.content),
    answers: Object.entries(operation.responses).map(([status, { description, content }]) => ({
      status,
      description,
      shape: contentShape(content),
    })),
  };
}

export function documentPage({ paths, tags, components }: OpenApi, documentUrl: string) {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => describe(method, path, one as unknown as Operation)),
  );
  return {
    document_url: documentUrl,
    groups: tags.map(({ name }, index) => ({
      id: index,
      name,
      operations: operations.filter(({ tag }) => tag === name),
    })),
    shapes: Object.entries(components.schemas).map(([name, schema]) => ({
      name,
      description: text(schema['description']),
      fields: fieldsOf(schema),
    })),
    problems: Object.entries(PROBLEMS).map(([name, [status, title]]) => ({ name, status, title })),
  };
}
