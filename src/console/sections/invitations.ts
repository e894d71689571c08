/** Those who were asked to have an account and have not answered yet: invited, asked again, and taken back. */
import type { Account } from '../../accounts/account.ts';
import type { Invitation } from '../../accounts/invitation.ts';
import { isRole } from '../../accounts/role.ts';
import { ANY_LANGUAGE } from '../../accounts/profile.ts';
import type { Inviting } from '../../administration/invitations.ts';
import { datesIn } from '../../kernel/dates.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { showConfirmation } from '../confirm.ts';
import { keptOf, linesOf, showForm, trySaving, valuesOf } from '../forms.ts';
import type { Group, Values, Wrong } from '../forms.ts';
import { pageOf, pagesOf } from '../lists.ts';
import { GROUP_CHOICES, ROLE_CHOICES, roleOffers, withOffers } from '../offers.ts';
import type { RoleOfferNeeds } from '../offers.ts';
import { principalOf } from '../place.ts';

export interface InvitationNeeds extends RoleOfferNeeds {
  inviting: Inviting;
  mailAvailable: boolean;
}

const LIST = '/people/invitations';
const NEW = '/people/invite';

/** @param mailed the link can be mailed, so that there is a choice. */
const groups = (mailed: boolean): Group[] => [
  {
    heading: null,
    controls: [
      { name: 'email', kind: 'email', label: 'console.field.email' },
      { name: 'name', kind: 'text', label: 'portal.profile.field.name', optional: true },
      ROLE_CHOICES,
      GROUP_CHOICES,
      {
        name: 'locale',
        kind: 'text',
        label: 'console.invite.locale',
        hint: 'console.invite.locale_hint',
        optional: true,
      },
      ...(mailed
        ? ([
            {
              name: 'link',
              kind: 'tick',
              label: 'console.invite.link',
              hint: 'console.invite.link_hint',
              optional: true,
            },
          ] as const)
        : []),
    ],
  },
];

/** Of mails about it, where nobody said. */
const localeOf = ({ account }: { account: Account }): string => account.claims.locale ?? ANY_LANGUAGE;

async function list(desk: Desk, visit: Visit, { inviting }: InvitationNeeds): Promise<void> {
  const { ctx } = visit;
  const { items, next } = await pageOf(ctx, (page) => inviting.list(page));
  await desk.show(visit, 'invitations', (_t, { tag }) => {
    const dates = datesIn(tag, visit.account.claims.zoneinfo);
    const now = new Date().toISOString();
    return {
      invitations: items.map(({ id, email, name, roles, groups = [], sent_at, expires_at }) => ({
        email,
        name,
        roles,
        groups,
        expired: expires_at <= now,
        sent: dates.moment(sent_at),
        ends: dates.moment(expires_at),
        resend_url: desk.url(`${LIST}/${id}/resend`),
        revoke_url: desk.url(`${LIST}/${id}/revoke`),
      })),
      new_url: desk.url(NEW),
      list_url: desk.url('/people'),
      ...pagesOf(ctx, desk.url(LIST), {}, next),
    };
  });
}

/** By the link, which is on no other page, where it was not mailed. */
async function tell(
  desk: Desk,
  visit: Visit,
  { invitation, url }: Awaited<ReturnType<Inviting['invite']>>,
): Promise<void> {
  if (url === undefined) return desk.done(visit, LIST, 'invited', { email: invitation.email });
  visit.ctx.set('Cache-Control', 'no-store');
  await desk.show(visit, 'invitation-link', { email: invitation.email, url, done_url: desk.url(LIST) });
}

function wrongOf(error: unknown): Wrong | undefined {
  if (isGatehouseError(error, 'duplicate'))
    return {
      field: 'email',
      key: error.message.includes('invited') ? 'console.invite.invited' : 'console.invite.taken',
    };
  if (isGatehouseError(error, 'invalid_input') && error.field === 'email')
    return { field: 'email', key: 'sign_up.error.email_invalid' };
  return undefined;
}

async function invite(desk: Desk, visit: Visit, needs: InvitationNeeds): Promise<void> {
  const { inviting, mailAvailable } = needs;
  const form = groups(mailAvailable);
  const values = valuesOf(visit.ctx, form);
  const again = (wrong: Wrong) => showNew(desk, visit, needs, values, wrong);
  const roles = linesOf(values['roles']);
  const bad = roles.find((role) => !isRole(role));
  if (bad !== undefined) return again({ field: 'roles', key: 'console.problem.role', variables: { role: bad } });
  const tried = await trySaving(form, async () => {
    try {
      const { email = '', name, locale } = values;
      const input = {
        email,
        name,
        roles,
        groups: linesOf(values['groups']),
        ...(locale ? { locale } : {}),
        by: !mailAvailable || values['link'] === 'yes' ? ('link' as const) : ('mail' as const),
      };
      return await inviting.invite(principalOf(visit), input, localeOf(visit));
    } catch (error) {
      const wrong = wrongOf(error);
      if (wrong) return wrong;
      throw error;
    }
  });
  if ('stale' in tried) throw new Error('a new record cannot be stale');
  if ('wrong' in tried) return again(tried.wrong);
  if ('field' in tried.saved) return again(tried.saved);
  await tell(desk, visit, tried.saved);
}

async function showNew(
  desk: Desk,
  visit: Visit,
  { mailAvailable: mailed, book }: InvitationNeeds,
  values: Values,
  wrong?: Wrong,
): Promise<void> {
  const offers = await roleOffers({ book });
  await showForm(desk, visit, {
    title: ['console.title.invite'],
    lead: mailed ? 'console.invite.lead' : 'console.invite.lead_link',
    action: desk.url(NEW),
    back: desk.url(LIST),
    submit: mailed ? 'console.invite.submit' : 'console.invite.submit_link',
    groups: withOffers(groups(mailed), offers),
    values,
    wrong,
  });
}

export function addInvitations(desk: Desk, needs: InvitationNeeds): void {
  const { inviting, mailAvailable } = needs;
  const at = (visit: Visit): Promise<Invitation> => inviting.get(parameterOf(visit, 'invitation'));
  const confirmation = (act: string, { id, email, name }: Invitation) => ({
    id: act,
    name: name ?? email,
    detail: email,
    action: desk.url(`${LIST}/${id}/${act === 'invitation_resend' ? 'resend' : 'revoke'}`),
    back: desk.url(LIST),
    danger: act === 'invitation_revoke',
  });

  desk.get(LIST, (visit) => list(desk, visit, needs));
  const terms = { strong: true };
  desk.get(
    NEW,
    (visit) => {
      const draft = desk.draft(visit, NEW);
      return showNew(desk, visit, needs, {
        email: '',
        name: '',
        roles: '',
        groups: '',
        locale: '',
        link: '',
        ...draft,
      });
    },
    terms,
  );
  desk.post(NEW, (visit) => invite(desk, visit, needs), { ...terms, back: NEW, keep: keptOf(groups(true)) });
  desk.get(`${LIST}/:invitation/resend`, async (visit) =>
    showConfirmation(desk, visit, confirmation('invitation_resend', await at(visit))),
  );
  desk.post(
    `${LIST}/:invitation/resend`,
    async (visit) => {
      const { id, mailed } = await at(visit);
      const by = mailed && mailAvailable ? 'mail' : 'link';
      await tell(desk, visit, await inviting.resend(principalOf(visit), id, by, localeOf(visit)));
    },
    { ...terms, back: `${LIST}/:invitation/resend` },
  );
  desk.get(`${LIST}/:invitation/revoke`, async (visit) =>
    showConfirmation(desk, visit, confirmation('invitation_revoke', await at(visit))),
  );
  desk.post(
    `${LIST}/:invitation/revoke`,
    async (visit) => {
      const { email } = await inviting.revoke(principalOf(visit), parameterOf(visit, 'invitation'));
      desk.done(visit, LIST, 'invitation_revoked', { email });
    },
    { ...terms, back: `${LIST}/:invitation/revoke` },
  );
}
