/** Everything that is stored about a person, without secrets: for whoever asks what we know of them. */
import { publicAccount } from '../accounts/account.ts';
import type { Account } from '../accounts/account.ts';
import type { Audit } from '../audit/audit.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { Factors } from '../factors/factors.ts';
import { publicPasskey } from '../factors/passkey.ts';
import type { PasskeyStore } from '../factors/passkey-store.ts';
import type { IdentityStore } from '../federation/store.ts';
import { isoNow } from '../kernel/clock.ts';
import type { Sessions } from './sessions.ts';

interface Needs {
  accounts: { get(id: string): Promise<Account> };
  identities: Pick<IdentityStore, 'listByAccount'>;
  consents: Pick<ConsentStore, 'listByAccount'>;
  factors: Pick<Factors, 'details'> & { devices: Pick<Factors['devices'], 'list'> };
  passkeys: Pick<PasskeyStore, 'listByAccount'>;
  sessions: Pick<Sessions, 'list'>;
  audit: Pick<Audit, 'listByAccount'>;
}

const PAGE = 500;

async function allEvents(audit: Needs['audit'], accountId: string): Promise<AuditEvent[]> {
  const all: AuditEvent[] = [];
  let after: string | undefined;
  do {
    const page = await audit.listByAccount(accountId, { limit: PAGE, after });
    all.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return all;
}

export async function collectPersonalData(
  { accounts, identities, consents, factors, passkeys, sessions, audit }: Needs,
  accountId: string,
) {
  const account = await accounts.get(accountId);
  const open = await sessions.list(accountId);
  return {
    made_at: isoNow(),
    account: publicAccount(account),
    second_factors: await factors.details(accountId),
    passkeys: (await passkeys.listByAccount(accountId)).map(publicPasskey),
    remembered_devices: await factors.devices.list(accountId),
    connected_accounts: await identities.listByAccount(accountId),
    sessions: open.map(({ address, user_agent, since, last_seen, clients }) => ({
      address,
      user_agent,
      since,
      last_seen,
      clients,
    })),
    apps: await consents.listByAccount(accountId),
    activity: await allEvents(audit, accountId),
  };
}

export type PersonalData = Awaited<ReturnType<typeof collectPersonalData>>;
