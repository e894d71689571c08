/** Who may sign in with an upstream, and what is said of it when that fails. */
import type { Client as ProviderClient } from 'oidc-provider';
import type { UpstreamError } from '../federation/connector.ts';
import type { Logger } from '../kernel/logger.ts';

/** Whether people may sign in to this client with this provider: any, unless its registration names some. */
export function mayUse(client: ProviderClient, provider: string): boolean {
  const allowed = client['identity_providers'] as string[] | undefined;
  return allowed === undefined || allowed.length === 0 || allowed.includes(provider);
}

/** By its kind and code alone: what an upstream sent may hold codes and tokens. */
export function logUpstreamFailure(log: Logger, provider: string, { problem, detail }: UpstreamError): void {
  const fields = { provider, problem, detail };
  if (problem === 'cancelled') log.info(fields, 'a person cancelled at an upstream');
  else log.warn(fields, 'signing in with an upstream failed');
}
