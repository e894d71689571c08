import { ACCOUNT_CLIENT } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import type { NewClient, Registered } from '../clients/clients.ts';
import { isGatehouseError } from '../kernel/errors.ts';

interface Needs {
  clients: {
    find(id: string): Promise<Client | undefined>;
    register(input: NewClient, id?: string): Promise<Registered>;
    delete(id: string): Promise<boolean>;
  };
  issuer: string;
  /** What people call this provider. */
  brand: string;
}

export const callbackUrl = (issuer: string): string => `${issuer}/account/callback`;

/**
 * Registers the page's client, as any app is, where it is not. A public one: several processes share it, and a secret that is
 * shown once could not be shared among them. First-party: whoever signs in here need not allow us to know who they are.
 */
export async function registerAccountClient({ clients, issuer, brand }: Needs): Promise<void> {
  const callback = callbackUrl(issuer);
  const found = await clients.find(ACCOUNT_CLIENT);
  if (found?.redirect_uris.includes(callback) && found.first_party && found.client_name === brand) return;
  if (found) await clients.delete(ACCOUNT_CLIENT); // registered for another issuer or under another name
  try {
    await clients.register(
      { type: 'spa', name: brand, redirect_uris: [callback], first_party: true, client_uri: `${issuer}/account` },
      ACCOUNT_CLIENT,
    );
  } catch (error) {
    if (!isGatehouseError(error, 'duplicate')) throw error; // another process was faster
  }
}
