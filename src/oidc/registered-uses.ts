/** When an app that registered itself, or never was registered, last got tokens, noted at most once an hour: apps that nobody uses go again. */
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { isoNow } from '../kernel/clock.ts';

const NOTED_EVERY_MS = 3_600_000;
const MOST_HELD = 10_000;

interface Needs {
  provider: Provider;
  /** Whether its uses are noted. */
  concerns(client: Client): boolean;
  noteUse(clientId: string, at: string): Promise<void>;
  /** Does it when the request is answered. */
  after(ctx: KoaContextWithOIDC, work: () => Promise<void>): void;
}

export function noteRegisteredUses({ provider, concerns, noteUse, after }: Needs): void {
  const noted = new Map<string, number>();
  provider.on('grant.success', (ctx) => {
    const { client } = ctx.oidc;
    const now = Date.now();
    if (!client || !concerns(client) || (noted.get(client.clientId) ?? 0) > now - NOTED_EVERY_MS) return;
    if (noted.size >= MOST_HELD) noted.clear();
    noted.set(client.clientId, now);
    const at = isoNow();
    after(ctx, () => noteUse(client.clientId, at));
  });
}
