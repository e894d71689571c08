import { resealAll } from '../kernel/reseal.ts';
import type { Resealed, SealedValue } from '../kernel/reseal.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Sealing } from '../kernel/secrets.ts';
import { secretContext } from './secret.ts';
import type { ClientStore } from './store.ts';

const BATCH = 200;

interface Needs {
  store: Pick<ClientStore, 'list' | 'update'>;
  sealing: Sealing;
}

async function* sealedSecrets(store: Needs['store']): AsyncGenerator<SealedValue> {
  let after: string | undefined;
  do {
    const page = await store.list({ after, limit: BATCH });
    for (const client of page.items) {
      const { id, secret_sealed } = client;
      if (typeof secret_sealed !== 'string') continue;
      yield {
        sealed: Buffer.from(secret_sealed, 'base64url'),
        context: secretContext(id),
        async replace(next) {
          try {
            await store.update({ ...client, secret_sealed: next.toString('base64url') });
            return true;
          } catch (error) {
            if (isGatehouseError(error, 'conflict') || isGatehouseError(error, 'not_found')) return false;
            throw error;
          }
        },
      };
    }
    after = page.next;
  } while (after !== undefined);
}

/** Seals the secrets of clients that must be read again with the newest encryption key. */
export const resealClients = ({ store, sealing }: Needs): Promise<Resealed> => resealAll(sealedSecrets(store), sealing);
