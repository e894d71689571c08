import { resealAll } from '../kernel/reseal.ts';
import type { Resealed, SealedValue } from '../kernel/reseal.ts';
import type { Sealing } from '../kernel/secrets.ts';
import { totpContext } from './factors.ts';
import type { FactorStore } from './store.ts';

const BATCH = 200;

interface Needs {
  store: Pick<FactorStore, 'listInOrder' | 'put'>;
  sealing: Sealing;
}

async function* sealedSecrets(store: Needs['store']): AsyncGenerator<SealedValue> {
  let after = '';
  for (;;) {
    const all = await store.listInOrder(after, BATCH);
    for (const factors of all) {
      const { account_id, totp } = factors;
      if (!totp) continue;
      yield {
        sealed: Buffer.from(totp.sealed, 'base64'),
        context: totpContext(account_id),
        replace: (next) => store.put({ ...factors, totp: { ...totp, sealed: next.toString('base64') } }),
      };
    }
    if (all.length < BATCH) return;
    after = all.at(-1)!.account_id;
  }
}

/** Seals the secrets of authenticator apps with the newest encryption key. */
export const resealFactors = ({ store, sealing }: Needs): Promise<Resealed> => resealAll(sealedSecrets(store), sealing);
