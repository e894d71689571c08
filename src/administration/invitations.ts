/** Invitations, as admins handle them. */
import { publicInvitation } from '../accounts/invitation.ts';
import type { Invitation } from '../accounts/invitation.ts';
import { ADMIN_ROLE } from '../accounts/role.ts';
import { ANY_LANGUAGE } from '../accounts/profile.ts';
import type { Audit } from '../audit/audit.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { RoleBook } from '../roles/book.ts';
import type { Invitations, Invited, NewInvitation } from '../verification/invitations.ts';
import { mustBeGroups } from './groups.ts';
import { mustHave } from './principal.ts';
import type { Principal } from './principal.ts';

type How = 'mail' | 'link';

export interface Inviting {
  /**
   * @throws invalid_input naming the field, duplicate where the address has an account or is invited, conflict where no mail can be
   * sent, forbidden for a role that whoever asks may not give.
   */
  invite(by: Principal, input: NewInvitation, locale?: string): Promise<Invited>;
  /** @throws not_found. */
  get(id: string): Promise<Invitation>;
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Invitation>>;
  /** Another link; the one before works no more. @throws not_found, conflict, forbidden. */
  resend(by: Principal, id: string, how: How, locale?: string): Promise<Invited>;
  /** @throws not_found, forbidden. */
  revoke(by: Principal, id: string): Promise<Invitation>;
}

interface Needs {
  invitations: Invitations;
  book: Pick<RoleBook, 'latest'>;
  audit: Pick<Audit, 'act'>;
}

const EVERYBODY = { kind: 'system', id: null } as const;

/** As doors show it: with the link where it was not mailed. */
export const shownInvitation = ({ invitation, url }: Invited) => ({
  ...publicInvitation(invitation),
  ...(url === undefined ? {} : { url }),
});

function mayGive(by: Principal, roles: string[] | undefined): void {
  if (roles?.includes(ADMIN_ROLE)) mustHave(by, 'admins:write', `the role ${ADMIN_ROLE} makes an admin`);
}

/** No address: the record names the invitation, and the account that will come of it. */
const detailOf = ({ id, account_id, roles, groups = [], mailed }: Invitation) => ({
  invitation: id,
  sub: account_id,
  by: mailed ? 'mail' : 'link',
  ...(roles.length > 0 ? { roles: roles.join(' ') } : {}),
  ...(groups.length > 0 ? { groups: groups.join(' ') } : {}),
});

export function createInviting({ invitations, book, audit }: Needs): Inviting {
  async function getFor(by: Principal, id: string): Promise<Invitation> {
    const invitation = await invitations.get(id);
    mayGive(by, invitation.roles);
    return invitation;
  }

  return {
    get: (id) => invitations.get(id),
    list: (page) => invitations.list(page),
    async invite(by, input, locale = ANY_LANGUAGE) {
      mayGive(by, input.roles);
      await mustBeGroups(book, input.groups);
      const id = by.kind === 'operator' ? null : by.id;
      const invited = await invitations.invite(input, { id, locale });
      await audit.act('person_invited', EVERYBODY, detailOf(invited.invitation));
      return invited;
    },
    async resend(by, id, how, locale = ANY_LANGUAGE) {
      await getFor(by, id);
      const invited = await invitations.resend(id, how, locale);
      await audit.act('invitation_sent_again', EVERYBODY, detailOf(invited.invitation));
      return invited;
    },
    async revoke(by, id) {
      await getFor(by, id);
      const invitation = await invitations.revoke(id);
      await audit.act('invitation_revoked', EVERYBODY, detailOf(invitation));
      return invitation;
    },
  };
}
