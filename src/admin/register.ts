import { adminApiResource, ADMIN_SCOPE_NAMES } from '../administration/scopes.ts';
import { ADMIN_API } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import { isGatehouseError } from '../kernel/errors.ts';

interface Needs {
  clients: Pick<Clients, 'find' | 'register' | 'update' | 'delete'>;
  issuer: string;
}

const NAME = 'Gatehouse admin API';

/** Registers this API, as any other is, where it is not, so that tokens can be had for it. */
export async function registerAdminApi({ clients, issuer }: Needs): Promise<void> {
  const resource = adminApiResource(issuer);
  const scope = ADMIN_SCOPE_NAMES.join(' ');
  const found = await clients.find(ADMIN_API);
  if (found?.resource === resource && found.scope === scope) return;
  if (found?.resource === resource) return void (await clients.update(ADMIN_API, { scope }));
  if (found) await clients.delete(ADMIN_API); // registered for another issuer
  try {
    await clients.register({ type: 'api', name: NAME, resource, scope }, ADMIN_API);
  } catch (error) {
    if (!isGatehouseError(error, 'duplicate')) throw error; // another process was faster
  }
}
