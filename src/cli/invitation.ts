import { Option } from 'commander';
import type { Command } from 'commander';
import { publicInvitation } from '../accounts/invitation.ts';
import { shownInvitation } from '../administration/invitations.ts';
import { OPERATOR } from '../administration/principal.ts';
import { every } from './every.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

interface InviteOptions {
  name?: string;
  role?: string[];
  group?: string[];
  locale?: string;
  link?: boolean;
  json?: boolean;
}

const COLUMNS = ['id', 'email', 'name', 'roles', 'groups', 'sent_at', 'expires_at', 'expired'];
const collect = (value: string, before: string[] = []) => [...before, value];
const how = ({ link }: { link?: boolean }) => (link ? 'link' : 'mail');
const LINK = '--link';
const LINK_TEXT = 'print the link instead of mailing it; the address is not verified by it';

/** `user invite`. */
export function inviteCommand(user: Command, session: Session, output: Output): void {
  user
    .command('invite <email>')
    .description('Ask somebody to have an account: a mailed link lets them choose a password or a passkey.')
    .option('--name <name>', 'full name')
    .option('--role <role>', 'role; may be repeated', collect)
    .option('--group <name>', 'group; may be repeated', collect)
    .option('--locale <language>', 'language of the mail and of the account, such as de')
    .option(LINK, LINK_TEXT)
    .option('--json', 'print one JSON document')
    .action((email: string, { name, role: roles, group: groups, locale, ...options }: InviteOptions) =>
      session(async ({ inviting }) => {
        const input = { email, name, roles, groups, locale, by: how(options) } as const;
        output.one(shownInvitation(await inviting.invite(OPERATOR, input)), options);
      }),
    );
}

/** `invitation list|resend|revoke`. */
export function invitationCommands(program: Command, session: Session, output: Output): void {
  const invitation = program.command('invitation').description('People who were invited and have not answered yet.');

  invitation
    .command('list')
    .description('All invitations, oldest first; those whose link has ended too, for 30 days.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      session(async ({ inviting }) =>
        output.many((await every(inviting.list)).map(publicInvitation), COLUMNS, options),
      ),
    );

  invitation
    .command('resend <id>')
    .description('Send another link; the one before works no more.')
    .addOption(new Option(LINK, LINK_TEXT))
    .option('--json', 'print one JSON document')
    .action((id: string, options: { link?: boolean; json?: boolean }) =>
      session(async ({ inviting }) =>
        output.one(shownInvitation(await inviting.resend(OPERATOR, id, how(options))), options),
      ),
    );

  invitation
    .command('revoke <id>')
    .description('Take an invitation back: its link works no more.')
    .option('--json', 'print one JSON document')
    .action((id: string, options: { json?: boolean }) =>
      session(async ({ inviting }) => {
        const { email } = await inviting.revoke(OPERATOR, id);
        output.one({ id, email, revoked: true }, options);
      }),
    );
}
