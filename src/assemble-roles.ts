/** Wires roles, groups and claim tables. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Accounts } from './accounts/accounts.ts';
import { createClaimTables } from './administration/claim-tables.ts';
import { createRolesAndGroups } from './administration/roles.ts';
import type { Audit } from './audit/audit.ts';
import type { Clients } from './clients/clients.ts';
import type { ConsentStore } from './consents/store.ts';
import type { Logger } from './kernel/logger.ts';
import { createRoleBook } from './roles/book.ts';
import type { Storage } from './storage/storage.ts';

/** The copy of them that this process works with. */
export const assembleRoleBook = (storage: Storage) => createRoleBook({ store: storage.roles });

/** What goes with a client: what people allowed it, and what it is told of them. */
export const goesWithClient = ({
  consents,
  roles,
}: Pick<Storage, 'consents' | 'roles'>): Pick<ConsentStore, 'deleteByClient'> => ({
  async deleteByClient(clientId) {
    await consents.deleteByClient(clientId);
    await roles.delete('claims', clientId);
  },
});

interface Needs {
  config: { factors: { readonly required_roles: readonly string[] } };
  storage: Storage;
  book: ReturnType<typeof assembleRoleBook>;
  accounts: Accounts;
  clients: Clients;
  audit: Audit;
}

export function assembleRoles({ config, storage, book, accounts, clients, audit }: Needs) {
  const needs = { store: storage.roles, book, audit };
  const pause = async (ms: number) => void (await wait(ms));
  return {
    ...createRolesAndGroups({ ...needs, accounts, pause, factorRoles: () => config.factors.required_roles }),
    claimTables: createClaimTables({ ...needs, clients }),
  };
}

/** A change of name or a removal that a process did not live to finish is finished by the next one. */
export function finishRenaming({ roles, groups }: ReturnType<typeof assembleRoles>, log: Logger): void {
  const failed = (error: unknown) => log.warn({ err: error }, 'a change of name or a removal could not be finished');
  void roles
    .finish()
    .then(() => groups.finish(), failed)
    .catch(failed);
}
