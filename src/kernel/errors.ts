/**
 * The errors of the program: a closed set of codes, a text that may be shown to whoever sent the request, and a private
 * cause for the log. `http/errors.ts` and `cli/main.js` are the only places that turn them into answers.
 */
export type ErrorCode =
  | 'invalid_input'
  | 'not_found'
  | 'duplicate'
  | 'conflict'
  | 'stale'
  | 'forbidden'
  | 'too_large'
  | 'limited'
  | 'busy'
  | 'unavailable';

const STATUS: Record<ErrorCode, number> = {
  invalid_input: 400,
  not_found: 404,
  duplicate: 409,
  conflict: 409,
  stale: 412,
  forbidden: 403,
  too_large: 413,
  limited: 429,
  busy: 503,
  unavailable: 503,
};

/** What an answer with status 503 says in `Retry-After`. */
export const RETRY_AFTER_SECONDS = 5;

export class GatehouseError extends Error {
  readonly code: ErrorCode;
  /** HTTP status that fits the code. */
  readonly status: number;
  /** The input that is at fault, by its public name. */
  readonly field: string | undefined;
  /** Seconds after which trying again may work: what an answer says in `Retry-After`. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; field?: string | undefined; retryAfter?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'GatehouseError';
    this.code = code;
    this.status = STATUS[code];
    this.field = options.field;
    this.retryAfter = options.retryAfter;
  }
}

/** Something the caller sent is wrong; `field` names it. */
export const invalidInput = (message: string, field?: string) =>
  new GatehouseError('invalid_input', message, { field });
/** The named thing does not exist. */
export const notFound = (message: string) => new GatehouseError('not_found', message);
/** A value that must be unique is taken. */
export const duplicate = (message: string, field?: string) => new GatehouseError('duplicate', message, { field });
/** Somebody else changed the record since it was read. */
export const conflict = (message: string) => new GatehouseError('conflict', message);
/** The record is not the version any more that the caller has seen and names. */
export const stale = (message: string) => new GatehouseError('stale', message);
/** The request proves too little to be honoured. */
export const forbidden = (message: string) => new GatehouseError('forbidden', message);
/** The request is larger than we read. */
export const tooLarge = (message: string) => new GatehouseError('too_large', message);
/** Too many tries or requests. @param retryAfter seconds to wait. */
export const limited = (retryAfter: number) =>
  new GatehouseError('limited', 'Too many tries. Wait a moment.', { retryAfter: Math.max(1, retryAfter) });
/** A bounded queue is full; trying again shortly will work. */
export const busy = (message: string) => new GatehouseError('busy', message);
/** A dependency, usually the store, does not answer. */
export const unavailable = (message: string, cause?: unknown) => new GatehouseError('unavailable', message, { cause });

/** How long to wait before trying again, in whole minutes for people to read. */
export const minutes = ({ retryAfter = RETRY_AFTER_SECONDS }: GatehouseError): number => Math.ceil(retryAfter / 60);

/** Whether `error` is one of ours, with the given code if one is named. */
export function isGatehouseError(error: unknown, code?: ErrorCode): error is GatehouseError {
  return error instanceof GatehouseError && (code === undefined || error.code === code);
}
