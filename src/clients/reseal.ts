import { resealAll } from '../kernel/reseal.ts';
import type { Resealed, SealedValue } from '../kernel/reseal.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Sealing } from '../kernel/secrets.ts';
import type { Client } from './client.ts';
import { secretContext } from './secret.ts';
import { keeping, secretsOf } from './secrets.ts';
import type { ClientStore } from './store.ts';

const BATCH = 200;

interface Needs {
  store: Pick<ClientStore, 'list' | 'update'>;
  sealing: Sealing;
}

/** Of one client, each written into the record as the one before left it. */
function* secretsIn(client: Client, store: Needs['store']): Generator<SealedValue> {
  let now = client;
  const all = secretsOf(client);
  for (const [index, { sealed }] of all.entries()) {
    if (sealed === null) continue;
    yield {
      sealed: Buffer.from(sealed, 'base64url'),
      context: secretContext(client.id),
      async replace(next) {
        all[index] = { ...all[index]!, sealed: next.toString('base64url') };
        try {
          now = await store.update({ ...now, ...keeping(all) });
          return true;
        } catch (error) {
          if (isGatehouseError(error, 'conflict') || isGatehouseError(error, 'not_found')) return false;
          throw error;
        }
      },
    };
  }
}

async function* sealedSecrets(store: Needs['store']): AsyncGenerator<SealedValue> {
  let after: string | undefined;
  do {
    const page = await store.list({ after, limit: BATCH });
    for (const client of page.items) yield* secretsIn(client, store);
    after = page.next;
  } while (after !== undefined);
}

/** Seals the secrets of clients that must be read again with the newest encryption key. */
export const resealClients = ({ store, sealing }: Needs): Promise<Resealed> => resealAll(sealedSecrets(store), sealing);
