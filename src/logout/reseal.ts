import { resealAll } from '../kernel/reseal.ts';
import type { Resealed, SealedValue } from '../kernel/reseal.ts';
import type { Sealing } from '../kernel/secrets.ts';
import { deliveryContext } from './queue.ts';
import { sessionAppContext } from './session-apps.ts';
import { DELIVERY_STATES } from './store.ts';
import type { LogoutStore, SessionApp } from './store.ts';

const BATCH = 200;

type Store = Pick<LogoutStore, 'listApps' | 'resealApp' | 'list' | 'reseal'>;

async function* sealedApps(store: Store): AsyncGenerator<SealedValue> {
  let after: SessionApp | undefined;
  for (;;) {
    const apps = await store.listApps(after, BATCH);
    for (const app of apps) {
      const context = sessionAppContext(app.session_key, app.app_key);
      yield { sealed: app.sealed, context, replace: (next) => store.resealApp(app, next) };
    }
    if (apps.length < BATCH) return;
    after = apps.at(-1)!;
  }
}

async function* sealedDeliveries(store: Store): AsyncGenerator<SealedValue> {
  for (const state of DELIVERY_STATES) {
    let after: string | undefined;
    do {
      const page = await store.list(state, { after, limit: BATCH });
      for (const { id, sealed } of page.items)
        if (sealed) yield { sealed, context: deliveryContext(id), replace: (next) => store.reseal(id, sealed, next) };
      after = page.next;
    } while (after !== undefined);
  }
}

async function* sealedValues(store: Store): AsyncGenerator<SealedValue> {
  yield* sealedApps(store);
  yield* sealedDeliveries(store);
}

/** Seals what is known of apps in sessions, and what they are to be told, with the newest encryption key. */
export const resealLogOuts = ({ store, sealing }: { store: Store; sealing: Sealing }): Promise<Resealed> =>
  resealAll(sealedValues(store), sealing);
