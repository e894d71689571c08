/** When an app last got tokens for a person: noted at most once an hour, so that a busy token endpoint hardly writes more for it. */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { ConsentStore } from '../consents/store.ts';
import { isoNow } from '../kernel/clock.ts';

const NOTED_EVERY_MS = 3_600_000;
const MOST_HELD = 10_000;

interface Needs {
  provider: Provider;
  consents: Pick<ConsentStore, 'noteUse'>;
  /** Does it when the request is answered. */
  after(ctx: KoaContextWithOIDC, work: () => Promise<void>): void;
}

export function noteAppUses({ provider, consents, after }: Needs): void {
  const noted = new Map<string, number>();

  function isDue(pair: string): boolean {
    const now = Date.now();
    if ((noted.get(pair) ?? 0) > now - NOTED_EVERY_MS) return false;
    // Forgetting costs one write too many for each.
    if (noted.size >= MOST_HELD) noted.clear();
    noted.set(pair, now);
    return true;
  }

  provider.on('grant.success', (ctx) => {
    const { client, entities } = ctx.oidc;
    const accountId = entities.Account?.accountId;
    // What is first-party has no consent to note it with.
    if (accountId === undefined || !client || client['first_party'] === true) return;
    if (!isDue(`${accountId} ${client.clientId}`)) return;
    const at = isoNow();
    after(ctx, () => consents.noteUse(accountId, client.clientId, at));
  });
}
