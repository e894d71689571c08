/** Failures inside the library: logged once, and a store that does not answer becomes 503 instead of 500. */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { isGatehouseError, RETRY_AFTER_SECONDS } from '../kernel/errors.ts';
import type { GatehouseError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { referenceOf } from './refusals.ts';

interface Needs {
  provider: Provider;
  log: Logger;
}

export function handleFailures({ provider, log }: Needs): void {
  const failures = new WeakMap<object, Error>();
  provider.on('server_error', (ctx, error) => void failures.set(ctx, error));
  provider.on('grant.error', (ctx, error) => log.info({ ...describe(ctx, error) }, 'a token request was refused'));

  provider.use(async (ctx, next) => {
    await next();
    const error = failures.get(ctx);
    if (!error || ctx.type === 'text/html') return;
    if (isGatehouseError(error, 'limited')) return answerLimited(ctx, error);
    const unavailable = isGatehouseError(error, 'unavailable') || isGatehouseError(error, 'busy');
    const reference = referenceOf(ctx);
    log.error({ reference, path: ctx.path, err: error }, 'the provider failed');
    if (unavailable) {
      ctx.status = 503;
      ctx.set('Retry-After', String(RETRY_AFTER_SECONDS));
    }
    ctx.body = {
      error: unavailable ? 'temporarily_unavailable' : 'server_error',
      error_description: `reference ${reference}`,
    };
  });
}

type Answer = Pick<KoaContextWithOIDC, 'status' | 'set' | 'body'>;

/** Too many tries, of which the library knows nothing. */
function answerLimited(ctx: Answer, { retryAfter = RETRY_AFTER_SECONDS }: GatehouseError): void {
  ctx.status = 429;
  ctx.set('Retry-After', String(retryAfter));
  ctx.body = {
    error: 'temporarily_unavailable',
    error_description: `too many failed attempts; try again in ${retryAfter} seconds`,
  };
}

function describe(ctx: KoaContextWithOIDC, error: Error) {
  const {
    error: code,
    error_description,
    error_detail,
  } = error as Error & Record<'error' | 'error_description' | 'error_detail', string | undefined>;
  return {
    reference: ctx.response.get('Reference') || undefined,
    client_id: ctx.oidc.client?.clientId,
    grant_type: ctx.oidc.params?.['grant_type'],
    error: code,
    error_description,
    detail: error_detail,
  };
}
