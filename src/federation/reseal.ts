import type { LiveDocument } from '../kernel/live-documents.ts';
import { resealAll } from '../kernel/reseal.ts';
import type { Resealed, SealedValue } from '../kernel/reseal.ts';
import type { Sealing } from '../kernel/secrets.ts';
import { sealedContext } from './records.ts';
import type { StoredProviders } from './records.ts';

async function* sealedSecrets(live: LiveDocument<StoredProviders>): AsyncGenerator<SealedValue> {
  await live.refresh();
  for (const { name, sealed } of live.now().providers)
    for (const [secret, value] of Object.entries(sealed))
      yield {
        sealed: Buffer.from(value, 'base64url'),
        context: sealedContext(name, secret),
        async replace(next) {
          let replaced = false;
          await live.change((all) => {
            const holder = all.providers.find((one) => one.name === name);
            replaced = holder?.sealed[secret as keyof typeof sealed] === value;
            if (!replaced) return all;
            const fresh = { ...holder!, sealed: { ...holder!.sealed, [secret]: next.toString('base64url') } };
            return { providers: all.providers.map((one) => (one === holder ? fresh : one)) };
          });
          return replaced;
        },
      };
}

/** Seals the secrets of providers that admins added with the newest encryption key. */
export const resealProviders = (live: LiveDocument<StoredProviders>, sealing: Sealing): Promise<Resealed> =>
  resealAll(sealedSecrets(live), sealing);
