/** Wires what follows when a used refresh token is sent again: who is told that a family of tokens has ended, and why. */
import type { Accounts } from './accounts/accounts.ts';
import type { Audit } from './audit/audit.ts';
import type { Clients } from './clients/clients.ts';
import type { Logger } from './kernel/logger.ts';
import type { EndedFamily } from './oidc/reuse.ts';
import type { LogOuts } from './assemble-logout.ts';
import type { Notices } from './verification/notices.ts';

interface Needs {
  accounts: Pick<Accounts, 'find'>;
  clients: Pick<Clients, 'find'>;
  audit: Pick<Audit, 'record'>;
  notices: Pick<Notices, 'tokenReused'>;
  logOuts: Pick<LogOuts, 'endings'>;
  log: Logger;
}

export const assembleReuse =
  ({ accounts, clients, audit, notices, logOuts, log }: Needs) =>
  async ({ accountId, clientId, grantId, sid }: EndedFamily): Promise<void> => {
    log.warn({ client_id: clientId }, 'a used refresh token was sent again: its grant was ended');
    await logOuts.endings.grant({ accountId, clientId, grantId, sid, cause: 'token_theft' });
    const account = await accounts.find(accountId);
    if (!account) return;
    const app = (await clients.find(clientId))?.client_name ?? clientId;
    await notices.tokenReused(account, { app, grantId });
    await audit.record('token_reused', accountId, { detail: { client_id: clientId } });
  };
