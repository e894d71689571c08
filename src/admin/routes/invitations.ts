/** People who were asked to have an account and have not answered yet. */
import { z } from 'zod';
import { shownInvitation } from '../../administration/invitations.ts';
import { publicInvitation } from '../../accounts/invitation.ts';
import { route } from '../route.ts';
import * as shapes from '../schemas.ts';
import { invitation, invitationWithLink, invitationLink, newInvitation } from '../invitation-schemas.ts';

const tag = 'Invitations';
const params = z.strictObject({ id: z.string().max(100) });

export const invitationRoutes = [
  route({
    id: 'listInvitations',
    method: 'GET',
    path: '/invitations',
    scope: 'users:read',
    tag,
    summary: 'Invitations that nobody has accepted yet, oldest first; those whose link has ended too',
    query: z.strictObject(shapes.page),
    answer: { status: 200, schema: shapes.listOf('InvitationList', invitation) },
    async run({ inviting }, { query }) {
      const { items, next } = await inviting.list(query);
      return { body: { items: items.map(publicInvitation), next } };
    },
  }),
  route({
    id: 'invite',
    method: 'POST',
    path: '/invitations',
    scope: 'users:write',
    tag,
    summary: 'Ask somebody to have an account: by a mailed link, or by one that is told here once',
    body: newInvitation,
    idempotent: true,
    answer: { status: 201, schema: invitationWithLink },
    async run({ inviting }, { by, body }) {
      const invited = await inviting.invite(by, body);
      return { body: shownInvitation(invited), location: `/invitations/${invited.invitation.id}` };
    },
  }),
  route({
    id: 'getInvitation',
    method: 'GET',
    path: '/invitations/{id}',
    scope: 'users:read',
    tag,
    summary: 'One invitation',
    params,
    answer: { status: 200, schema: invitation },
    run: async ({ inviting }, { params: { id } }) => ({ body: publicInvitation(await inviting.get(id)) }),
  }),
  route({
    id: 'resendInvitation',
    method: 'POST',
    path: '/invitations/{id}/resend',
    scope: 'users:write',
    tag,
    summary: 'Send another link; the one before works no more',
    params,
    body: invitationLink,
    answer: { status: 200, schema: invitationWithLink },
    run: async ({ inviting }, { by, params: { id }, body }) => ({
      body: shownInvitation(await inviting.resend(by, id, body.by ?? 'mail')),
    }),
  }),
  route({
    id: 'revokeInvitation',
    method: 'DELETE',
    path: '/invitations/{id}',
    scope: 'users:write',
    tag,
    summary: 'Take an invitation back: its link works no more',
    params,
    answer: { status: 204 },
    async run({ inviting }, { by, params: { id } }) {
      await inviting.revoke(by, id);
      return {};
    },
  }),
];
