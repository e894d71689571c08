import { createRemoteJWKSet, customFetch as joseFetch } from 'jose';
import type { CompactVerifyGetKey } from 'jose';
import * as oidc from 'openid-client';
import type { InProcessFetch } from '../http/in-process.ts';

/** One HTTP request to the provider and its answer, as they were. */
export interface Exchange {
  method: string;
  url: string;
  /** Form fields of the request. */
  sent: [name: string, value: string][];
  authorization: string | null;
  status: number;
  /** The answer: parsed where it was JSON. */
  received: unknown;
}

/** Why something did not work, in the standard's words. */
export interface Failure {
  error: string;
  description: string;
}

export interface Party {
  config: oidc.Configuration;
  /** Every request sent with `config`, in order. */
  exchanges: Exchange[];
  metadata: oidc.ServerMetadata;
  keys: CompactVerifyGetKey;
}

interface Needs {
  issuer: string;
  clientId: string;
  fetch: InProcessFetch;
}

const readBody = async (response: Response): Promise<unknown> => {
  const text = await response.clone().text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Lets requests through and notes them down. */
const recording =
  (fetch: InProcessFetch, exchanges: Exchange[]): InProcessFetch =>
  async (url, init) => {
    const response = await fetch(url, init);
    exchanges.push({
      method: init.method,
      url,
      sent: init.body instanceof URLSearchParams ? [...init.body] : [],
      authorization: new Headers(init.headers).get('authorization'),
      status: response.status,
      received: await readBody(response),
    });
    return response;
  };

/** The relying party; discovery happens once, when it is first needed, and again if it failed. */
export function createRelyingParty({ issuer, clientId, fetch }: Needs) {
  const insecure = issuer.startsWith('http:');
  let discovered: Promise<{ metadata: oidc.ServerMetadata; keys: CompactVerifyGetKey }> | undefined;

  async function discover() {
    const config = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
      [oidc.customFetch]: fetch,
      execute: insecure ? [oidc.allowInsecureRequests] : [],
    });
    const metadata = config.serverMetadata();
    return { metadata, keys: createRemoteJWKSet(new URL(metadata.jwks_uri!), { [joseFetch]: fetch }) };
  }

  /** @returns what one visit of the page needs; what it sends is noted in `exchanges`. */
  return async function party(): Promise<Party> {
    discovered ??= discover().catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    const { metadata, keys } = await discovered;
    const config = new oidc.Configuration(metadata, clientId, undefined, oidc.None());
    if (insecure) oidc.allowInsecureRequests(config);
    const exchanges: Exchange[] = [];
    config[oidc.customFetch] = recording(fetch, exchanges);
    return { config, exchanges, metadata, keys };
  };
}

/** What went wrong, told by the provider or found by our own checks. @throws the error when it is neither. */
export function toFailure(error: unknown): Failure {
  if (error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError)
    return { error: error.error, description: error.error_description ?? '' };
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    const parameters = error.cause[0]?.parameters;
    return {
      error: parameters?.['error'] ?? `status ${error.status}`,
      description: parameters?.['error_description'] ?? '',
    };
  }
  if (error instanceof oidc.ClientError) {
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    return { error: error.code ?? 'client_error', description: cause ?? error.message };
  }
  throw error;
}

/** Runs one step. @returns what it gave, or why it failed. */
export async function attempt<T>(step: () => Promise<T>): Promise<{ value: T } | { failure: Failure }> {
  try {
    return { value: await step() };
  } catch (error) {
    return { failure: toFailure(error) };
  }
}
