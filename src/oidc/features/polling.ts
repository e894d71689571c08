/**
 * Whoever asks for an answer that is not there yet, sooner than they may, is told to slow down, and waits five seconds longer from then on
 * (RFC 8628, section 3.5; CIBA Core, section 11). Counted in the store, so that several processes see one poller.
 */
import { errors, Provider as Library } from 'oidc-provider';
import type { Provider } from 'oidc-provider';
import { isGatehouseError } from '../../kernel/errors.ts';
import type { SealedRecords } from '../../protocol/sealed-records.ts';

/** Seconds between two questions where the answer to the request names no others, and by how many more they grow. */
export const POLL_INTERVAL = 5;
const LONGEST_INTERVAL = 60;
const MS = 1000;
/** Milliseconds by which two questions may come closer than they were sent. */
const JITTER = 500;

interface Waiting {
  clientId: string;
  isExpired: boolean;
  remainingTTL: number;
  accountId?: string;
  grantId?: string;
  error?: string;
}

interface Model {
  find(id: string, options?: object): Promise<Waiting | undefined>;
}

/** Of what is still to be answered. A device's person is known with the answer, a backchannel request's from its beginning. */
const UNANSWERED: Record<'DeviceCode' | 'BackchannelAuthenticationRequest', (of: Waiting) => boolean> = {
  DeviceCode: ({ accountId, error }) => accountId === undefined && error === undefined,
  BackchannelAuthenticationRequest: ({ grantId, error }) => grantId === undefined && error === undefined,
};

interface Needs {
  records: Pick<SealedRecords, 'change'>;
}

/** @returns whether it came too soon. */
async function isTooSoon(records: Needs['records'], id: string, ttl: number): Promise<boolean> {
  let soon = false;
  try {
    await records.change(
      'Poll',
      id,
      (before) => {
        const at = Date.now();
        const interval = Number(before?.['interval'] ?? POLL_INTERVAL);
        soon = before !== undefined && at - Number(before['at']) < interval * MS - JITTER;
        return { at, interval: soon ? Math.min(interval + POLL_INTERVAL, LONGEST_INTERVAL) : interval };
      },
      ttl,
    );
  } catch (error) {
    if (!isGatehouseError(error, 'conflict')) throw error;
    return true; // so many at once
  }
  return soon;
}

export function slowDownPolling(provider: Provider, { records }: Needs): void {
  const models = provider as unknown as Record<string, Model | undefined>;
  for (const [name, isUnanswered] of Object.entries(UNANSWERED)) {
    const model = models[name];
    if (!model) continue;
    const find = model.find.bind(model);
    model.find = async (id, options) => {
      const found = await find(id, options);
      const { route, client } = Library.ctx?.oidc ?? {};
      const isPoll = route === 'token' && found?.clientId === client?.clientId;
      if (isPoll && found && !found.isExpired && isUnanswered(found)) {
        if (await isTooSoon(records, id, Math.max(1, found.remainingTTL))) throw new errors.SlowDown();
      }
      return found;
    };
  }
}
