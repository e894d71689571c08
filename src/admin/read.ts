/** What a request brings along, read and checked by the schemas of its route. */
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { invalidInput } from '../kernel/errors.ts';
import { ApiProblem, wrongFields } from './problems.ts';

/** More than the largest body that fits the schemas. */
const MOST_BYTES = 1024 * 1024;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** Whether a request says that it has no content (RFC 9112, section 6.3). */
export const isEmpty = (headers: IncomingMessage['headers']): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;

/**
 * A body that is read as a stream, however long it is. What breaks in reading it leaves the connection as it is, so that there
 * is an answer. @throws the problem `unsupported_media_type`.
 */
export function fileOf(req: IncomingMessage, types: string[]): { stream: Readable; type: string } {
  const type = (req.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (!types.includes(type))
    throw new ApiProblem({ name: 'unsupported_media_type', detail: `send ${types.join(' or ')}` });
  const stream = new PassThrough();
  req.once('close', () => {
    if (!req.complete) stream.destroy(invalidInput('the file was cut off'));
  });
  return { stream: req.pipe(stream), type };
}

/** @throws the problems `unsupported_media_type` and `too_large`. */
export async function readText(req: IncomingMessage): Promise<string> {
  if (!JSON_TYPE.test(req.headers['content-type'] ?? '')) throw new ApiProblem({ name: 'unsupported_media_type' });
  const chunks: Buffer[] = [];
  let size = 0;
  // Destroyed, what is left of it would never be read, and the next request on the connection with it.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new ApiProblem({ name: 'too_large', detail: `at most ${MOST_BYTES} bytes are read` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws the problem `invalid_input`, naming each wrong field. */
export function parseBody<T extends z.ZodType>(text: string, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiProblem({ name: 'invalid_input', detail: 'the body is not JSON' });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ApiProblem({ name: 'invalid_input', errors: wrongFields(parsed.error, 'body') });
}

/** @throws the same. */
export function parseParameters<T extends z.ZodType>(values: object, schema: T): z.output<T> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  throw new ApiProblem({ name: 'invalid_input', errors: wrongFields(parsed.error, 'parameter') });
}

/** A parameter that is sent more than once is a list, which no schema takes. */
export function queryOf(search: string): Record<string, string | string[]> {
  const parameters = new URLSearchParams(search);
  const names = [...new Set(parameters.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length === 1 ? values[0]! : values];
    }),
  );
}

export const etagOf = (version: number): string => `"${version}"`;

/**
 * The version that `If-Match` names (RFC 9110, section 13.1.1): undefined for any.
 * @throws the problems `precondition_required`, and `stale` for tags that no record of ours has.
 */
export function readIfMatch(header: string | undefined, demanded: boolean): number | undefined {
  if (header === undefined) {
    if (!demanded) return undefined;
    throw new ApiProblem({ name: 'precondition_required', detail: 'send the ETag of the record as If-Match' });
  }
  if (header.trim() === '*') return undefined;
  const version = /^\s*"(\d{1,15})"\s*$/.exec(header)?.[1];
  if (version === undefined) throw new ApiProblem({ name: 'stale', detail: 'that is no ETag of the record' });
  return Number(version);
}
