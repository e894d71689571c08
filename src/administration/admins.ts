/** Who is an admin, and how the first one comes to be: by a link that only whoever runs the program sees. */
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { ADMIN_ROLE, isAdmin } from '../accounts/role.ts';
import type { Audit } from '../audit/audit.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { conflict, notFound } from '../kernel/errors.ts';
import { newSecret } from '../kernel/ids.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import { mark } from '../kernel/search.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { People } from './people.ts';
import { OPERATOR } from './principal.ts';

const LINK = 'AdminLink';
const LINK_TTL = 86_400;
/** Long enough to hash a password. */
const REDEEMING = 'AdminLinkRedeeming';
const REDEEMING_TTL = 60;

export interface NewAdmin {
  email: string;
  name: string;
  password?: string | undefined;
}

export interface AdminLink {
  url: string;
  /** Epoch seconds. */
  expires_at: number;
}

export interface Admins {
  list(page: PageRequest): Promise<Page<Account>>;
  /** Whether there is one who can sign in. */
  exist(): Promise<boolean>;
  /** @throws invalid_input naming the field, duplicate. */
  create(input: NewAdmin): Promise<Account>;
  /** @throws not_found. */
  grant(who: string): Promise<Account>;
  /** @throws not_found, conflict for whoever is no admin. */
  revoke(who: string): Promise<Account>;
  /** A link by which whoever opens it first becomes an admin: once, for a day. `onlyFirst`: and while there is none. */
  issueLink(options: { onlyFirst: boolean }): Promise<AdminLink>;
  /** Whether the link does; consumes nothing. */
  isGood(token: string): Promise<boolean>;
  /** Uses the link up, if what is wrong with the input lets it. @throws not_found for a link that does not do, invalid_input, duplicate. */
  redeem(token: string, input: NewAdmin): Promise<Account>;
}

interface Needs {
  people: Pick<People, 'create' | 'edit' | 'get'>;
  accounts: Pick<Accounts, 'search'>;
  records: Pick<SealedRecords, 'upsert' | 'find' | 'insertIfAbsent' | 'destroy' | 'consume'>;
  audit: Pick<Audit, 'act'>;
  issuer: string;
}

export function createAdmins({ people, accounts, records, audit, issuer }: Needs): Admins {
  const having = [mark('role', ADMIN_ROLE)];

  async function exist(): Promise<boolean> {
    const { items } = await accounts.search({ having, not: [mark('state', 'suspended')], limit: 1 });
    return items.length > 0;
  }

  const create = (input: NewAdmin) => people.create(OPERATOR, { ...input, roles: [ADMIN_ROLE], email_verified: true });

  async function isGood(token: string): Promise<boolean> {
    const link = await records.find(LINK, token);
    if (!link || link.consumed !== undefined) return false;
    return link['onlyFirst'] !== true || !(await exist());
  }

  return {
    exist,
    create,
    isGood,
    list: (page) => accounts.search({ ...page, having }),
    async grant(who) {
      const { id, roles } = await people.get(who);
      return people.edit(OPERATOR, id, { roles: [...roles, ADMIN_ROLE] });
    },
    async revoke(who) {
      const account = await people.get(who);
      if (!isAdmin(account)) throw conflict(`${who} is no admin`);
      return people.edit(OPERATOR, account.id, { roles: account.roles.filter((role) => role !== ADMIN_ROLE) });
    },
    async issueLink({ onlyFirst }) {
      const token = newSecret();
      await records.upsert(LINK, token, { onlyFirst }, LINK_TTL);
      await audit.act('admin_link_made', { kind: 'system', id: null });
      return { url: `${issuer}/admin/first?link=${token}`, expires_at: epochSeconds() + LINK_TTL };
    },
    async redeem(token, input) {
      if (!(await isGood(token))) throw notFound('the link was used, or is too old');
      // A mistyped form must not use the link up, nor two forms at once use it twice.
      if (!(await records.insertIfAbsent(REDEEMING, token, {}, REDEEMING_TTL)))
        throw notFound('the link is being used');
      try {
        if (!(await isGood(token))) throw notFound('the link was used, or is too old');
        const account = await create(input);
        await records.consume(LINK, token);
        return account;
      } finally {
        await records.destroy(REDEEMING, token);
      }
    },
  };
}
