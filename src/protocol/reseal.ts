import { resealAll } from '../kernel/reseal.ts';
import type { Resealed, SealedValue } from '../kernel/reseal.ts';
import type { Sealing } from '../kernel/secrets.ts';
import type { ProtocolStore } from './store.ts';

const BATCH = 200;

interface Needs {
  store: Pick<ProtocolStore, 'listInOrder' | 'swap'>;
  sealing: Sealing;
}

async function* sealedRecords(store: Needs['store']): AsyncGenerator<SealedValue> {
  let after = '';
  for (;;) {
    const records = await store.listInOrder(after, BATCH);
    for (const record of records) {
      const { key, sealed } = record;
      yield { sealed, context: key, replace: (next) => store.swap({ ...record, sealed: next }, sealed) };
    }
    if (records.length < BATCH) return;
    after = records.at(-1)!.key;
  }
}

/** Seals protocol records with the newest encryption key. */
export const resealRecords = ({ store, sealing }: Needs): Promise<Resealed> => resealAll(sealedRecords(store), sealing);
