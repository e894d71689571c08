import type { Client } from '../clients/client.ts';
import type { NewClient, Registered } from '../clients/clients.ts';
import { isGatehouseError } from '../kernel/errors.ts';

export const CLIENT_ID = 'playground';
const API_ID = 'playground-api';

interface Needs {
  clients: {
    find(id: string): Promise<Client | undefined>;
    register(input: NewClient, id?: string): Promise<Registered>;
    delete(id: string): Promise<boolean>;
  };
  issuer: string;
}

/** The playground's addresses, all below the issuer's. */
export const addresses = (issuer: string) => ({
  home: `${issuer}/playground`,
  callback: `${issuer}/playground/callback`,
  /** Identifier of an API that is there to see what a token for an API looks like. */
  api: `${issuer}/playground/api`,
});

async function ensure(
  { clients }: Needs,
  id: string,
  wanted: NewClient,
  fits: (client: Client) => boolean,
): Promise<void> {
  const found = await clients.find(id);
  if (found && fits(found)) return;
  if (found) await clients.delete(id); // registered for another issuer
  try {
    await clients.register(wanted, id);
  } catch (error) {
    if (!isGatehouseError(error, 'duplicate')) throw error; // another process was faster
  }
}

/**
 * Registers the playground and its API, as any app and API would be, where they are not. The client is a public one: several
 * processes share it, and a secret that is shown once could not be shared among them.
 */
export async function registerPlayground(needs: Needs): Promise<void> {
  const { home, callback, api } = addresses(needs.issuer);
  await ensure(
    needs,
    CLIENT_ID,
    {
      type: 'spa',
      name: 'Playground',
      redirect_uris: [callback],
      post_logout_redirect_uris: [home],
      client_uri: home,
    },
    ({ redirect_uris, post_logout_redirect_uris }) =>
      redirect_uris.includes(callback) && post_logout_redirect_uris.includes(home),
  );
  await ensure(
    needs,
    API_ID,
    { type: 'api', name: 'Playground API', resource: api },
    ({ resource }) => resource === api,
  );
}
