/** Asking people: an app's request to them (CIBA) is put where they find it, and told by mail. */
import type { Client as ProviderClient } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import { ANY_LANGUAGE, readsBest } from '../accounts/profile.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';

/** What the person's page lists; it ends with the request that it leads to, and with all else of the account. */
export const APPROVAL = 'Approval';

export interface Approval {
  accountId: string;
  /** Names it on pages. It opens nothing: only this very person, signed in, gets to see it. */
  id: string;
  auth_req_id: string;
  client_id: string;
  /** Where the app asked from. */
  address: string;
  /** Epoch seconds. */
  at: number;
  until: number;
}

export interface AskedBy {
  account: Account;
  client: ProviderClient;
  address: string;
  /** Languages that the app wishes for, the best one first. */
  ui_locales: unknown;
}

export interface Asking {
  ask(request: { jti: string; expiration: number }, by: AskedBy): Promise<void>;
}

interface Needs {
  records: Pick<SealedRecords, 'upsert'>;
  mailer: Mailer;
  /** Address of the page with one request. */
  urlOf(id: string): string;
}

const SECONDS_A_MINUTE = 60;

export const createAsking = ({ records, mailer, urlOf }: Needs): Asking => ({
  async ask({ jti: auth_req_id, expiration }, { account, client, address, ui_locales }) {
    const at = epochSeconds();
    const id = newId();
    const { clientId: client_id } = client;
    const approval = { accountId: account.id, id, auth_req_id, client_id, address, at, until: at + expiration };
    await records.upsert(APPROVAL, id, { ...approval } satisfies Approval, expiration);
    // Nobody is written to whose address it may not be. What the app wants to say stands on the page alone: the mail is ours.
    if (!mailer.available || !account.email_verified) return;
    await mailer.send({
      to: account.email,
      template: 'approval',
      locale: readsBest(account, typeof ui_locales === 'string' ? ui_locales : ANY_LANGUAGE),
      data: {
        url: urlOf(id),
        app: client.clientName ?? client_id,
        name: account.name,
        minutes: Math.max(1, Math.floor(expiration / SECONDS_A_MINUTE)),
      },
    });
  },
});
