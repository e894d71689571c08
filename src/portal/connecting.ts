/**
 * Connecting an account elsewhere to one's own: out by the provider's usual way, and back to here. The handle in the way back is good
 * once, for the person who set out and as long as their session goes on; the way itself is tied to their browser.
 */
import type { Context } from 'koa';
import { ACCOUNT_CLIENT } from '../clients/client.ts';
import { UpstreamError } from '../federation/connector.ts';
import type { Linking } from '../federation/linking.ts';
import type { Provider, Providers } from '../federation/providers.ts';
import { UPSTREAM_ARRIVAL, UPSTREAM_LOGIN } from '../federation/upstream-login.ts';
import type { UpstreamArrival, UpstreamLogin } from '../federation/upstream-login.ts';
import type { BrowserMark } from '../http/browser-mark.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { newSecret } from '../kernel/ids.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { SignedIn } from '../visits/session.ts';

const KIND = 'Connecting';
/** Seconds that a person may take there. */
const LIFE = 1800;

export type Connected = 'connected' | 'taken' | 'failed' | 'cancelled';

interface Needs {
  records: SealedRecords;
  providers: Providers;
  linking: Pick<Linking, 'connect'>;
  browserMark: BrowserMark;
}

export function createConnecting({ records, providers, linking, browserMark }: Needs) {
  return {
    /** @returns the address at the upstream, or undefined where it does not answer. */
    async begin(ctx: Context, { account_id, uid }: SignedIn, upstream: Provider): Promise<string | undefined> {
      const handle = newSecret();
      try {
        const { url, checks } = await upstream.begin({ fresh: false, select_account: true });
        const login: UpstreamLogin = {
          provider: upstream.name,
          uid: handle,
          exp: epochSeconds() + LIFE,
          client_id: ACCOUNT_CLIENT,
          browser: browserMark.of(ctx),
          checks,
          connecting: true,
        };
        await records.upsert(KIND, handle, { for: account_id, session: uid }, LIFE);
        await records.upsert(UPSTREAM_LOGIN, checks.state, { login }, LIFE);
        return url;
      } catch (error) {
        if (error instanceof UpstreamError) return undefined;
        throw error;
      }
    },

    async finish({ account_id, uid }: SignedIn, handle: string): Promise<{ outcome: Connected; provider: string }> {
      const begun = await records.find(KIND, handle);
      const arrived = (await records.find(UPSTREAM_ARRIVAL, handle))?.['arrival'] as UpstreamArrival | undefined;
      const provider = providers.find(arrived?.provider ?? '')?.display_name ?? '';
      const own = begun?.['for'] === account_id && begun['session'] === uid;
      if (!arrived || !own || !(await records.consume(KIND, handle))) return { outcome: 'failed', provider };
      if (!arrived.identity) return { outcome: arrived.problem === 'cancelled' ? 'cancelled' : 'failed', provider };
      return { outcome: (await linking.connect(arrived.identity, account_id)) ? 'connected' : 'taken', provider };
    },
  };
}

export type Connecting = ReturnType<typeof createConnecting>;
