/** Whether the protocol engine can work with a client: its own rules, and the list at `sector_identifier_uri`. */
import { errors } from 'oidc-provider';
import type { Provider } from 'oidc-provider';
import { authMethod } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { hasSecret } from '../clients/protocol.ts';
import { invalidInput } from '../kernel/errors.ts';
import { toMetadata } from './client-directory.ts';
import type { ClientFetch } from './features/features.ts';

const MOST_BYTES = 64 * 1024;
/** In the place of the client's own, which may not be made yet. */
const ANY_SECRET = 'long enough for every algorithm that takes a secret as its key';

interface Needs {
  provider: Provider;
  fetch: ClientFetch;
}

async function listAt(fetch: ClientFetch, uri: string): Promise<unknown> {
  const response = await fetch(uri, { headers: { accept: 'application/json' } });
  const text = response.status === 200 ? await response.text() : '';
  return text.length > MOST_BYTES ? undefined : JSON.parse(text);
}

/** OpenID Connect Registration 1.0, section 5: every redirect URI is in the list. */
async function checkSector(fetch: ClientFetch, { protocol, redirect_uris }: Client): Promise<void> {
  const uri = protocol?.sector_identifier_uri;
  if (uri === undefined) return;
  const list = await listAt(fetch, uri).catch(() => undefined);
  if (!Array.isArray(list)) throw invalidInput('there is no list at sector_identifier_uri', 'sector_identifier_uri');
  if (!redirect_uris.every((one) => list.includes(one)))
    throw invalidInput('the list at sector_identifier_uri lacks a redirect URI', 'sector_identifier_uri');
}

/** @returns a function that throws invalid_input where the engine would refuse the client. */
export const createClientCheck =
  ({ provider, fetch }: Needs) =>
  async (client: Client): Promise<void> => {
    try {
      // What it does with a client that it reads from the store.
      const { Client: EngineClient } = provider as unknown as { Client: new (metadata: object) => object };
      new EngineClient(
        toMetadata(client, hasSecret(authMethod(client)) ? [{ value: ANY_SECRET, expires_at: null }] : []),
      );
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) throw error;
      const isRedirect = error.error === 'invalid_redirect_uri';
      throw invalidInput(error.error_description ?? error.message, isRedirect ? 'redirect_uris' : 'metadata');
    }
    await checkSector(fetch, client);
  };
