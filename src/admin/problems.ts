/** Everything that goes wrong, as problem details (RFC 9457). */
import type { z } from 'zod';
import { isGatehouseError, RETRY_AFTER_SECONDS } from '../kernel/errors.ts';

export interface WrongField {
  detail: string;
  /** Of the body, as the fragment of a JSON pointer (RFC 6901, section 6). */
  pointer?: string;
  /** Of the path or the query. */
  parameter?: string;
}

/** By the last part of their `type`. */
export const PROBLEMS = {
  invalid_input: [400, 'Something in the request is wrong'],
  unauthorized: [401, 'An access token for this API is needed'],
  forbidden: [403, 'The access token does not allow that'],
  not_found: [404, 'There is no such thing'],
  method_not_allowed: [405, 'That cannot be done here'],
  duplicate: [409, 'A value that must be unique is taken'],
  conflict: [409, 'That cannot be done as things are'],
  stale: [412, 'Somebody else changed it meanwhile'],
  too_large: [413, 'The request is too large'],
  unsupported_media_type: [415, 'The body must be JSON'],
  key_reused: [422, 'The Idempotency-Key was used for another request'],
  precondition_required: [428, 'If-Match is needed'],
  limited: [429, 'Too many requests'],
  server_error: [500, 'Something broke on our side'],
  busy: [503, 'Too much to do; try again shortly'],
  unavailable: [503, 'Something that is needed does not answer'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemName = keyof typeof PROBLEMS;

export interface Problem {
  name: ProblemName;
  detail?: string | undefined;
  errors?: WrongField[] | undefined;
  headers?: Record<string, string>;
  cause?: unknown;
}

/** Thrown by the steps of the API; nobody else knows it. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail ?? problem.name);
    this.name = 'ApiProblem';
    this.problem = problem;
  }
}

const escaped = (part: PropertyKey): string =>
  encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
export const pointerTo = (path: PropertyKey[]): string => ['#', ...path.map(escaped)].join('/');

/** One entry per wrong field. */
export function wrongFields(error: z.ZodError, where: 'body' | 'parameter'): WrongField[] {
  return error.issues.flatMap((issue) => {
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    const detail = issue.code === 'unrecognized_keys' ? 'there is no such field' : issue.message;
    return paths.map((path) =>
      where === 'body' ? { detail, pointer: pointerTo(path) } : { detail, parameter: String(path[0] ?? '') },
    );
  });
}

/** What the rooms throw, in the words of the API. */
export function problemOf(error: unknown, fieldNames: Record<string, string> = {}): Problem {
  if (error instanceof ApiProblem) return error.problem;
  if (!isGatehouseError(error)) return { name: 'server_error', cause: error };
  const { code, message, field, retryAfter } = error;
  const name = field?.split('/').map((part) => fieldNames[part] ?? part);
  return {
    name: code,
    detail: message,
    ...(name === undefined ? {} : { errors: [{ detail: message, pointer: pointerTo(name) }] }),
    ...(PROBLEMS[code][0] === 503 || retryAfter !== undefined
      ? { headers: { 'Retry-After': String(retryAfter ?? RETRY_AFTER_SECONDS) } }
      : {}),
    cause: error,
  };
}
