import type { Client } from '../clients/client.ts';
import type { NewClient, Registered } from '../clients/clients.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Place } from './place.ts';

interface Needs {
  clients: {
    find(id: string): Promise<Client | undefined>;
    register(input: NewClient, id?: string): Promise<Registered>;
    delete(id: string): Promise<boolean>;
  };
  issuer: string;
  place: Pick<Place, 'path' | 'client' | 'client_name'>;
}

export const callbackUrl = (issuer: string, { path }: Pick<Place, 'path'>): string => `${issuer}${path}/callback`;

/**
 * Registers the place's client, as any app is, where it is not. A public one: several processes share it, and a secret that is
 * shown once could not be shared among them. First-party: whoever signs in here need not allow us to know who they are.
 */
export async function registerOwnClient({ clients, issuer, place }: Needs): Promise<void> {
  const callback = callbackUrl(issuer, place);
  const found = await clients.find(place.client);
  if (found?.redirect_uris.includes(callback) && found.first_party && found.client_name === place.client_name) return;
  if (found) await clients.delete(place.client); // registered for another issuer or under another name
  try {
    await clients.register(
      {
        type: 'spa',
        name: place.client_name,
        redirect_uris: [callback],
        first_party: true,
        client_uri: issuer + place.path,
      },
      place.client,
    );
  } catch (error) {
    if (!isGatehouseError(error, 'duplicate')) throw error; // another process was faster
  }
}
