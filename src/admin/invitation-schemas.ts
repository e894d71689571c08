/** The shapes of invitations. */
import { z } from 'zod';
import { name } from './schemas.ts';

const text = (max: number) => z.string().max(max);
const moment = z.string().meta({ format: 'date-time' });
const by = z.enum(['mail', 'link']).optional().meta({
  description: '`mail`, unless given: the link is mailed. `link`: it is told here, once, and passed on by you.',
});

export const invitation = name(
  'Invitation',
  z.object({
    id: z.string(),
    sub: z.string().meta({ description: 'The account that comes of it.' }),
    email: z.string(),
    name: z.string().nullable(),
    roles: z.array(z.string()),
    groups: z.array(z.string()),
    locale: z.string().nullable(),
    mailed: z
      .boolean()
      .meta({ description: 'The link went to the address: whoever accepts it has shown that it is theirs.' }),
    invited_by: z.string().nullable(),
    created_at: moment,
    sent_at: moment,
    expires_at: moment,
    expired: z.boolean(),
  }),
);
export const invitationWithLink = name(
  'InvitationWithLink',
  invitation.extend({
    url: z.string().optional().meta({ description: 'The link where it was not mailed: told this once.' }),
  }),
);
export const newInvitation = name(
  'NewInvitation',
  z.strictObject({
    email: text(320),
    name: text(200).optional(),
    roles: z.array(text(100)).max(100).optional(),
    groups: z.array(text(100)).max(100).optional(),
    locale: text(100).optional().meta({ description: 'Of the mail, and of the account: such as `de` or `pt-BR`.' }),
    by,
  }),
);
export const invitationLink = name('InvitationLink', z.strictObject({ by }));
